#!/usr/bin/env bash
# Train on the GPUs of one or several nodes; on a machine without GPUs, with as many processes.
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Several nodes: the same line on each, with NNODES, NODE_RANK and MASTER_ADDR set.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 2; }

exec python -m torch.distributed.run \
    --nnodes "${NNODES:-1}" \
    --node_rank "${NODE_RANK:-0}" \
    --master_addr "${MASTER_ADDR:-127.0.0.1}" \
    --master_port "${PORT:-29500}" \
    --nproc_per_node "$2" \
    "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
