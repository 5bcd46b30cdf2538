#!/usr/bin/env bash
# Evaluate under Slurm, one task a GPU.
#   tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]
# Environment, with defaults: GPUS=8 (of all nodes), GPUS_PER_NODE=8 (or GPUS, if fewer),
# CPUS_PER_TASK=5, SRUN_ARGS= (further arguments of srun). Two nodes of eight:
#   GPUS=16 tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT ...
set -euo pipefail
gpus=${GPUS:-8}
[[ $# -ge 4 && $4 != -* && $gpus =~ ^[1-9][0-9]*$ ]] ||
    { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}

# SRUN_ARGS is several words.
# shellcheck disable=SC2086
exec srun --partition "$1" --job-name "$2" \
    --gres "gpu:$per_node" --ntasks "$gpus" --ntasks-per-node "$per_node" \
    --cpus-per-task "${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    python -u "$(dirname "$0")/test.py" "$3" "$4" --launcher slurm "${@:5}"
