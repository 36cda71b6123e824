#!/bin/bash
# Cats and dogs at 64×64 pixels, or photographs of anything else: dx = σ^t dw with σ from the data, a checkpoint every 20
# epochs, the best of them by Fréchet distance, and two ways to draw from it, each of 1,000 steps:
#   examples/cats_and_dogs.sh PHOTOS runs/pets
# PHOTOS has a folder for each class (PHOTOS/cat/1.jpg, PHOTOS/dog/1.jpg, …). EPOCHS, BATCH, COUNT, CHOICES and ENGINE may be
# set: the 25,000 photographs of the well-known competition take 391 steps an epoch, 200 epochs 78,000 steps.
set -euo pipefail

photos=${1:?the folder with the photographs}
run=${2:?the folder to write}
epochs=${EPOCHS:-200}
batch=${BATCH:-64}
count=${COUNT:-64}
engine=(--engine "${ENGINE:-auto}")

pictures=$(find "$photos" -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' | wc -l)
steps=$(((pictures * epochs + batch - 1) / batch))

deno task train --data "$photos" --size "${SIZE:-64}" --skip-corrupt --flip --batch "$batch" --steps "$steps" \
  --sde sigma-power --sigma data --checkpoint-every 20epochs --keep-models --out "$run" "${engine[@]}"

deno task select --checkpoints "$run" --skip-corrupt --count "${CHOICES:-500}" "${engine[@]}"

# Both samplers under the σ that the network was trained with; the corrector's signal-to-noise ratio is .075.
draw=(deno task sample --checkpoint "$run/best.safetensors" --sde sigma-power --steps 1000 --count "$count" "${engine[@]}")
"${draw[@]}" --sampler euler-maruyama --output "$run/euler-maruyama.png"
"${draw[@]}" --sampler predictor-corrector --predictor euler-maruyama --snr 0.075 --output "$run/predictor-corrector.png"
"${draw[@]}" --sampler predictor-corrector --predictor euler-maruyama --snr 0.075 --output "$run/predictor-corrector.gif"
