#!/usr/bin/env bash
# Prints, as Markdown, what a pull request changes: metrics against its base, and the main tables.
#   .github/metrics.sh BASE [EXPERIMENT...]   BASE: a Git revision; experiments: folders of reports/
set -euo pipefail
base=$1
shift

echo "## Results against ${base:0:12}"
echo
changes=$(dvc metrics diff "$base" --md)
if [ "$(wc -l <<< "$changes")" -gt 2 ]; then  # more than the heading of the table
  echo "$changes"
else
  echo "No metric of the experiment that params.yaml selects has changed."
fi

if [ $# -eq 0 ]; then
  # The tables of the experiments that the pull request touches.
  for table in reports/*/tables/ablation.md; do
    experiment=$(basename "$(dirname "$(dirname "$table")")")
    if [ -f "$table" ] && ! git diff --quiet "$base" -- "reports/$experiment"; then
      set -- "$@" "$experiment"
    fi
  done
fi
for experiment in "$@"; do
  echo
  echo "# $experiment"
  echo
  cat "reports/$experiment/tables/ablation.md"
done
