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
cc=${CC:-cc}

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

# thresholds that browsers use, in the table's order: CX_T_<id> is a position
# in CX_LIMITS, the defaults

limits=$(printf '%s\n' '#include "cx_signal.h"' \
    '#define CX_ROW(id, name, value, least, most, seen, what, source) \' \
    '    @seen:CX_T_##id:value@' 'CX_THRESHOLDS(CX_ROW)' \
    | $cc -E -P -I"$include" - | tr -d ' ' | tr '@' '\n' \
    | sed -nE 's/^(BROWSER|BOTH):(CX_T_[A-Z_]+):([0-9]+)$/\2 \3/p' \
    | awk '{ print "--define:" $1 "=" n++; all = all sep $2; sep = "," }
           END { print "--define:CX_LIMITS=[" all "]" }')

"$esbuild" "$here/card.css" --minify --target=es2020 --log-level=warning \
    --outfile="$out/card.min.css"

# no quoting: one argument a line, none of them has a space
NODE_PATH=$out:${NODE_PATH:-} \
"$esbuild" "$here/cx.js" --bundle --minify --format=iife --target=es2020 \
    --loader:.css=text --mangle-props='^_' --legal-comments=none \
    --log-level=warning $defines $limits --outfile="$out/cx.js"

# what the headers do not define would fail in the browser only

if grep -oE '\bCX_[A-Z_]+' "$out/cx.js" >&2; then
    echo "ngx_cx: the widget names what include/ does not define" >&2
    rm "$out/cx.js"
    exit 1
fi
