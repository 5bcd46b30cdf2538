#!/usr/bin/env bash
# What can be measured on a GPU only, in at most eight minutes; what matters most comes first, and
# each part has a time limit, so that a machine that is lent for a short time is worth it.
#
#   benchmarks/gpu.sh [FOLDER]     default: work_dirs/gpu
#
# Needs the repository and its packages; kornia and jsonschema for the cost tables. To keep a run:
# copy FOLDER/cost_float32.json and .md to benchmarks/cost_gpu.json and .md.
set -u
cd "$(dirname "$0")/.." || exit 2
out=${1:-work_dirs/gpu}
python=${PYTHON:-python}
mkdir -p "$out"
"$python" -c 'import torch; assert torch.cuda.is_available(), "this machine has no CUDA device"' \
	|| exit 2

part() { # NAME SECONDS COMMAND...
	local name=$1 limit=$2 start code
	shift 2
	start=$(date +%s)
	timeout --kill-after=5 "$limit" "$@" >"$out/$name.log" 2>&1
	code=$?
	echo "$name: exit $code, $(($(date +%s) - start)) s, $out/$name.log" | tee -a "$out/parts.txt"
}

cost() { # NAME SECONDS ARGUMENTS...
	local name=$1 limit=$2
	shift 2
	part "$name" "$limit" "$python" -m benchmarks.cost --device cuda --rounds 8 \
		--out "$out/$name.json" "$@"
}

cost cost_float32 120 --only counts augmenter steps labels
cost cost_bfloat16 60 --only steps --precision bfloat16
# A short real training on the GPU that is killed and goes on.
config=configs/demo/classification_plain.py
part killed 20 "$python" tools/train.py "$config" --work-dir "$out/train" \
	--cfg-options train_cfg.max_epochs=1000
part resumed 30 "$python" tools/train.py "$config" --work-dir "$out/train" --resume \
	--cfg-options train_cfg.max_epochs=1000 default_hooks.checkpoint.interval=1
part whole_runs 90 "$python" -m benchmarks.cost.run --device cuda --quick --only small pspnet \
	--work-dir "$out/run"
part tests 60 "$python" -m pytest -q -x tests/test_augment tests/test_search
cat "$out/parts.txt"
