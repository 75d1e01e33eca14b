#!/bin/sh
# build.sh OUT: the widget as one classic script, OUT/cx.js
#
# Needs esbuild; NODE_PATH names the node_modules that holds web-vitals.
# Numbers come from the headers, so that code and tables cannot disagree.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
include=$here/../../include
out=${1:?usage: build.sh OUT}
esbuild=${ESBUILD:-esbuild}

for tool in "$esbuild" brotli npm; do
    command -v "$tool" > /dev/null || {
        echo "ngx_cx: the widget is built with $tool, which is missing" \
             "(make deps)" >&2
        exit 1
    }
done

mkdir -p "$out"
out=$(cd "$out" && pwd)

defines=$(sed -nE \
    's/^#define (CX_[A-Z_]+) +([0-9]+|"[^"]*")( .*)?$/--define:\1=\2/p' \
    "$include/cx_signal.h" "$include/cx_schema.h" "$include/cx_version.h")

"$esbuild" "$here/card.css" --minify --target=es2020 --log-level=warning \
    --outfile="$out/card.min.css"

# no quoting: one argument a line, none of them has a space
NODE_PATH=$out:${NODE_PATH:-} \
"$esbuild" "$here/cx.js" --bundle --minify --format=iife --target=es2020 \
    --loader:.css=text --mangle-props='^_' --legal-comments=none \
    --log-level=warning $defines --outfile="$out/cx.js"
