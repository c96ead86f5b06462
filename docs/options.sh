#!/bin/sh
# Every number and the picture of docs/options.md: six studies, each on two workloads.  About ten minutes on two cores.
# Usage: sh docs/options.sh FOLDER; studies that are finished there are kept.
set -eu
spikemesh=${SPIKEMESH:-spikemesh}
python=${PYTHON:-python}
folder=$1

for study in channels channels-single lanes-and-banks memory word voltage; do
    if [ -f "$folder/$study/manifest.json" ]; then again=--resume; else again=; fi
    "$spikemesh" sweep "examples/options/$study.yaml" -o "$folder/$study" $again > /dev/null
done
"$python" docs/options.py "$folder"
