"""Trains as score_sde_torch.train does, but that its second process sends itself a signal when it begins step 14.

Usage, with the folder pytorch in PYTHONPATH and SIGKILL or SIGTERM in OWN_SIGNAL: torchrun --nproc-per-node 2
pytorch_killed.py ARGUMENTS.
"""

import os
import signal

from score_sde_torch import train, training


class Killed(training.Training):
    def step(self, done):
        if done == 13 and self.processes.rank == 1:
            os.kill(os.getpid(), signal.Signals[os.environ["OWN_SIGNAL"]])
        return super().step(done)


train.Training = Killed
train.main()
