#!/usr/bin/env bash
# Runs every fuzz target for some seconds: scripts/fuzz.sh [SECONDS] [TARGET...], by default 600 seconds each.
# Needs a nightly compiler and cargo-fuzz (`cargo install cargo-fuzz`). What is found lies in fuzz/artifacts/; add it, made
# small by `cargo fuzz tmin`, to fuzz/corpus/, where the tests run it from then on. New inputs of a run stay out of it.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)
# these stand on the engine, which is compiled once more for them
declare -A features=([requests]="--features engine" [filters]="--features engine" [tokens]="--features engine" [journal]="--features engine")
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
failed=0
for target in "${targets[@]}"; do
  mkdir "$found/$target"
  # the first folder takes new inputs; the model and the engine are not slowed down by a sanitizer that Rust hardly needs
  if cargo +nightly fuzz run --sanitizer none ${features[$target]:-} "$target" "$found/$target" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 -max_len=20000 > "$found/log" 2>&1; then
    echo "$target: $(grep -E '^Done ' "$found/log" | tail -1)"
  else
    failed=1
    echo "$target: FAILED"
    tail -n 40 "$found/log"
  fi
done
exit "$failed"
