#!/usr/bin/env bash
# The build times of ARCHITECTURE.md: on a quiet machine, in a folder of its own for what starts from nothing.
#   scripts/build_times.sh crates | changes | cold
# `changes` needs a finished `cargo test --release --workspace --no-run` in target/.
set -euo pipefail
cd "$(dirname "$0")/.."
# named on stdout with the seconds it took; what cargo says goes to stderr
timed() {
  local name=$1 begin=$EPOCHREALTIME
  shift
  "$@" > /dev/null
  awk -v a="$begin" -v b="$EPOCHREALTIME" -v n="$name" 'BEGIN { printf "%-52s %7.1f s\n", n, b - a }'
}
# One more public function: the crate is compiled again, and all that stands on it.
# $1: the file. The rest: its name in the table, then the command that is timed.
after_change() {
  changed=$1
  cp "$changed" "$fresh/kept"
  printf '/// For scripts/build_times.sh.\npub fn build_times() -> std::time::Instant { std::time::Instant::now() }\n' >> "$changed"
  timed "${@:2}"
  restore
}
restore() {
  if [ -n "$changed" ]; then cp "$fresh/kept" "$changed"; changed=; fi
}
fresh=$(mktemp -d)
changed=
trap 'restore; rm -rf "$fresh"' EXIT
case ${1:-} in
  crates)
    for crate in core insight solver files; do
      export CARGO_TARGET_DIR=$fresh/$crate
      timed "duijie-$crate: tests from nothing" cargo test --release --locked -p "duijie-$crate"
      after_change "crates/$crate/src/lib.rs" "duijie-$crate: tests after a change" \
        cargo test --release --locked -p "duijie-$crate"
      unset CARGO_TARGET_DIR
    done ;;
  changes)
    for file in crates/core/src/rank/mod.rs src/events/mod.rs src/api/mod.rs; do
      after_change "$file" "$file: tests compiled again" cargo test --release --locked --workspace --no-run
    done ;;
  cold)
    export CARGO_TARGET_DIR=$fresh/cold
    timed "everything and its tests from nothing" cargo test --release --locked --workspace --no-run ;;
  *) sed -n 2,4p "$0"; exit 64 ;;
esac
