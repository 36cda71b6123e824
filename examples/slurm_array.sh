#!/bin/bash
# A Slurm array that draws one set of digits, each task one shard of it:
#   sbatch examples/slurm_array.sh --seed 1
# and, when all tasks are done,
#   deno task join --parts digits-%.npy --shards 8 --output digits.npy
# A task that was requeued or submitted again (sbatch --array=3 …) goes on where it stopped.
#SBATCH --job-name=digits
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=digits-%a.log
set -euo pipefail

# As many as the array has tasks; Slurm's own count is smaller when only some are submitted again.
shards=8

output="${FOLDER:-.}/digits-$SLURM_ARRAY_TASK_ID.npy"
# Slurm restarts a task once it has ended, perhaps on another machine, which cannot know that: its lock is void.
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then rm -f "$output.lock"; fi

# All tasks must compute on the same engine for the bytes to be those of one run, so name it.
exec deno task sample --engine wasm --count 100000 --batch 64 "$@" \
  --shard "$SLURM_ARRAY_TASK_ID/$shards" --output "$output" --resume
