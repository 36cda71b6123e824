#!/bin/bash
# Trains in PyTorch on two machines with four GPUs each, one process a GPU:
#   deno task train --data mnist --export-recipe recipe.json
#   sbatch examples/train_slurm.sh --precision bf16
# A job that was preempted is started again, and a job that has failed can be: it goes on from its last checkpoint.
#SBATCH --job-name=train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@60
#SBATCH --output=train-%j.log
set -euo pipefail

export PYTHONPATH=pytorch
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
exec srun torchrun --nnodes "$SLURM_NNODES" --nproc-per-node "${PROCESSES:-4}" --max-restarts 3 \
  --rdzv-backend c10d --rdzv-endpoint "$first:${PORT:-29500}" --rdzv-id "$SLURM_JOB_ID" \
  -m score_sde_torch.train --recipe "${RECIPE:-recipe.json}" --out "${OUT:-runs/recipe}" "$@"
