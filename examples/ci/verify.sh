#!/bin/bash
# Examines the claims in parts, each on a machine of its own, and joins what they found:
#   examples/ci/verify.sh shard 2 4   # the second of four parts; writes verification/shards/2-of-4.json
#   examples/ci/verify.sh join        # with the files of all parts there; writes verification/report.html
# Flags of deno task verify may follow a part, the same after each.
set -euo pipefail

case "${1:-}" in
  shard) exec deno task verify --shard "$2/$3" "${@:4}" ;;
  join) exec deno task verify:join ;;
  *)
    echo "usage: $0 shard I N [flags] | join" >&2
    exit 2
    ;;
esac
