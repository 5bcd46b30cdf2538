#!/usr/bin/env bash
# Train on the GPUs of one or several nodes; on a machine without GPUs, with as many processes.
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Two nodes, one line on each:
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=first-node PORT=29500 tools/dist_train.sh CONFIG GPUS ...
#   NNODES=2 NODE_RANK=1 MASTER_ADDR=first-node PORT=29500 tools/dist_train.sh CONFIG GPUS ...
# PORT must differ between runs that share a machine.
set -euo pipefail
[[ $# -ge 2 && $2 =~ ^[1-9][0-9]*$ ]] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

exec python -m torch.distributed.run \
    --nnodes "${NNODES:-1}" \
    --node_rank "${NODE_RANK:-0}" \
    --master_addr "${MASTER_ADDR:-127.0.0.1}" \
    --master_port "${PORT:-29500}" \
    --nproc_per_node "$2" \
    "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
