#!/usr/bin/env bash
# Fuzzes what reads files: scripts/fuzz.sh TARGET SECONDS [libFuzzer options]
#
# TARGET is npy, npz, onnx, saved or own. Seeds come from tests/fixtures and sources; corpus, findings and the log lie in
# target/fuzz/TARGET (or under $CARGO_TARGET_DIR). A finding is a panic, an overflow, an address
# error, 10 s without an end, one allocation above 64 MiB, or 1 GiB of memory in all; the search
# goes on after one, and the script ends with status 1 when there were any.
#
# Needs a nightly toolchain and cargo-fuzz: cargo install cargo-fuzz --locked
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target="${1:?usage: scripts/fuzz.sh npy|npz|onnx|saved|own SECONDS [libFuzzer options]}"
seconds="${2:?how many seconds?}"
shift 2
case "$target" in
    # Longer than every seed; deflate makes a thousand times as much of it at most.
    npy) longest=4096 ;;
    npz) longest=16384 ;;
    onnx) longest=65536 ;;
    own) longest=65536 ;;
    saved) longest=65536
        # Makes the seeds; a build of its own, without sanitizers.
        cargo build --release --locked --quiet --package longshore-cli
        export LONGSHORE="${CARGO_TARGET_DIR:-$PWD/target}/release/longshore"
        ;;
    *) echo "fuzz: no target $target: npy, npz, onnx, saved or own" >&2; exit 2 ;;
esac

folder="${CARGO_TARGET_DIR:-$PWD/target}/fuzz/$target"
mkdir -p "$folder/corpus" "$folder/findings" "$folder/seeds"
python3 fuzz/seeds.py "$target" "$folder/seeds"

options=("-max_total_time=$seconds" "-max_len=$longest" -timeout=10 -rss_limit_mb=1024
    -malloc_limit_mb=64 "-artifact_prefix=$folder/findings/" -fork=1 -ignore_crashes=1
    -ignore_timeouts=1 -ignore_ooms=1)
if [ -e "fuzz/$target.dict" ]; then
    options+=("-dict=fuzz/$target.dict")
fi
before="$(find "$folder/findings" -type f | wc -l)"
# A sanitizer for leaks would count what threads keep for later.
ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}" cargo +nightly fuzz run "$target" \
    "$folder/corpus" "$folder/seeds" -- "${options[@]}" "$@" 2>&1 | tee "$folder/log"
after="$(find "$folder/findings" -type f | wc -l)"
if [ "$after" -gt "$before" ]; then
    echo "fuzz: $((after - before)) new findings in $folder/findings" >&2
    exit 1
fi
