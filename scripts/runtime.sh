#!/usr/bin/env bash
# Brings ONNX Runtime into runtime/libonnxruntime.so: pinned version, hash checked by pip. Does nothing where it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^onnxruntime==\([0-9.]*\).*/\1/p' scripts/onnxruntime.txt)
stamp="runtime/$version"
if [ -e "$stamp" ] && [ -e runtime/libonnxruntime.so ]; then
    exit 0
fi
echo "正在取得 ONNX Runtime $version（约 30 MB）……"
mkdir -p runtime
work=$(mktemp -d runtime/tmp.XXXXXX)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --implementation cp --python-version 3.11 --abi cp311 --platform "manylinux_2_28_$(uname -m)" \
    --dest "$work" -r scripts/onnxruntime.txt
python3 -m zipfile -e "$work"/onnxruntime-*.whl "$work/wheel"
mv "$work/wheel/onnxruntime/capi/libonnxruntime.so.$version" "$work/libonnxruntime.so"
mv "$work/libonnxruntime.so" runtime/libonnxruntime.so
touch "$stamp"
