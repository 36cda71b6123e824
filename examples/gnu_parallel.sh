#!/bin/bash
# Draws one set of digits with GNU parallel, on this machine or, with PARALLEL="--sshloginfile hosts", on several that
# share a folder:
#   FOLDER=/scratch/digits examples/gnu_parallel.sh --seed 1
# Shards that were interrupted go on where they stopped when it is run again.
set -euo pipefail

shards=${SHARDS:-8}
folder=${FOLDER:-.}

# All shards must compute on the same engine for the bytes to be those of one run, so name it.
seq "$shards" | parallel --jobs "${JOBS:-2}" --retries 3 --line-buffer --tag \
  deno task sample --engine wasm --count 10000 --batch 64 "$@" \
  --shard "{}/$shards" --output "$folder/digits-{}.npy" --resume

deno task join --parts "$folder/digits-%.npy" --shards "$shards" --output "$folder/digits.npy"
