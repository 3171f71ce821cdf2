#!/usr/bin/env bash
# A bad day, longer than CI has time for: kills, a full disk, flipped bits, cut streams, clock steps, a lost node. Prints a
# table; ends with 1 if anything failed.
#   scripts/chaos.sh [ROUNDS]      rounds of kills, 200 by default
# The full disk is a small one in memory, mounted in a namespace of its own (unshare). The lost node needs QDRANT_BIN, a
# Qdrant server binary. What cannot run here stands in the table as not run.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
table=$work/table
failed=0
# The newest test binary of a package, after it was compiled.
cargo test --release --locked --workspace --tests --no-run --message-format=json 2> "$work/cargo" > "$work/built" ||
  { cat "$work/cargo" >&2; exit 1; }
binary() {
  python3 - "$work/built" "$1" "$2" <<'PY'
import json, sys
for line in open(sys.argv[1]):
    it = json.loads(line)
    if it.get("executable") and it["target"]["name"] == sys.argv[2] and sys.argv[3] in it["target"]["kind"] \
            and it["profile"]["test"]:
        print(it["executable"])
PY
}
row() { printf '%s\t%s\t%s\t%s\n' "$@" >> "$table"; }
# $1: what happens. The rest: a command. What its tests print besides is their result.
scene() {
  local name=$1 begin=$SECONDS log=$work/log said
  shift
  echo "== $name" >&2
  if "$@" > "$log" 2>&1; then
    said=$(grep -hE '^[0-9]+ (kills|times)|none lost' "$log" | paste -sd ';' || true)
    [ -n "$said" ] || said=$(grep -hoE '[0-9]+ passed' "$log" | paste -sd '+')
    row "$name" passed "$((SECONDS - begin))" "$said"
  else
    failed=1
    row "$name" FAILED "$((SECONDS - begin))" "$(grep -hE 'panicked at|^test .*FAILED|rror' "$log" | head -3 | paste -sd ';')"
    tail -n 60 "$log" >&2
  fi
}
it=$(binary it test)
service=$(binary duijie lib)
store=$(binary duijie_store lib)
export CHAOS_ROUNDS=$rounds
scene "kill -9 of the service, 8 writers" "$it" --exact --nocapture bad_day::kills::what_was_acknowledged_survives_kill_9
scene "kill -9 of the engine while it optimises" \
  "$it" --exact --nocapture index::crash::what_was_acknowledged_survives_kills
scene "kill -9 of an import, a job, a copy" "$it" bad_day::kills::an_import rematch::survives transfer::a_copy_that_was_broken
export CHAOS_ROUNDS=$((rounds < 10 ? rounds : 10))
disk=$work/disk
mkdir "$disk"
if unshare --map-root-user --mount true 2> "$work/log"; then
  scene "a disk that others fill up" unshare --map-root-user --mount sh -c \
    'mount -t tmpfs -o size=2g tmpfs "$1" && CHAOS_DISK=$1 exec "$2" --exact --ignored --nocapture \
      bad_day::small_disk::a_disk_that_others_fill_up_stops_writes_only' sh "$disk" "$it"
else
  row "a disk that others fill up" "not run" 0 "unshare is not allowed here: $(head -1 "$work/log")"
fi
scene "a disk that is full at any step" "$it" index::disk
scene "flipped bits: records, documents, ids" "$it" index::damage
scene "flipped bits: journal" "$it" index::journal
scene "flipped bits and cuts: journal of any form" "$store" edge::journal
scene "flipped bits and cuts: snapshots" "$it" transfer::any_
scene "cut streams, slow readers, slow callers" "$it" slow_readers slow_callers
scene "clock steps: store" "$store" clock
scene "clock steps: subscriptions, jobs" "$service" a_clock_that_is_set_back
if [ -n "${QDRANT_BIN:-}" ]; then
  scene "a lost node of a Qdrant cluster" "$(binary qdrant_cluster test)"
else
  row "a lost node of a Qdrant cluster" "not run" 0 "QDRANT_BIN is not set"
fi
{ printf 'scene\tresult\tseconds\tsaid\n'; cat "$table"; } | column -t -s "$(printf '\t')"
exit "$failed"
