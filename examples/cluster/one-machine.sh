#!/usr/bin/env bash
# All GPUs of this machine answer: a process and a model each. Further flags of `mipha-eval run` may stand behind.
#
#   examples/cluster/one-machine.sh                  the embedded model on the demo, one worker a GPU
#   WORKERS=2 examples/cluster/one-machine.sh        two workers, also on a machine without GPUs
#   MODEL=llava TASKS=pope,gqa DATA=/data/eval examples/cluster/one-machine.sh -a path=/models/llava-v1.5-7b
#
# The same command again goes on where it stopped, with any other number of workers.
set -euo pipefail

exec mipha-eval run \
    --workers "${WORKERS:-auto}" \
    --tasks "${TASKS:-pope,mme}" --data "${DATA:-demo}" \
    --model "${MODEL:-mipha-tiny}" \
    --output "${OUTPUT:-results/runs}" "$@"
