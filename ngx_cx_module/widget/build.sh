#!/bin/sh
# build.sh OUT: the widget below OUT: cx.js, a classic script, and its parts,
# which are modules, see core.js
#
# Needs esbuild; NODE_PATH names the node_modules that holds web-vitals and
# terser.
# Numbers come from the headers, so that code and tables cannot disagree.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
include=$here/../../include
out=${1:?usage: build.sh OUT}
esbuild=${ESBUILD:-esbuild}
cc=${CC:-cc}

for tool in "$esbuild" brotli node npm; do
    command -v "$tool" > /dev/null || {
        echo "ngx_cx: the widget is built with $tool, which is missing" \
             "(make deps)" >&2
        exit 1
    }
done

mkdir -p "$out"
done=$(cd "$out" && pwd)
out=$(mktemp -d "$done/tmp.XXXXXX")
trap 'rm -rf "$out"' EXIT

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

# what the theme is made of comes before each style sheet

theme=$(printf '%s\n' '#include "cx_theme.h"' \
    '#define LIGHT(id, name, light, dark) name light;' \
    '#define DARK(id, name, light, dark) name dark;' \
    ':host { CX_THEME_COLOURS(LIGHT) "on-accent" CX_THEME_ON_LIGHT;' \
    '"radius" px(CX_THEME_RADIUS); "font" "system-ui, sans-serif"; }' \
    '@media (prefers-color-scheme: dark) { :host {' \
    'CX_THEME_COLOURS(DARK) "on-accent" CX_THEME_ON_DARK; } }' \
    | $cc -E -P -I"$include" - \
    | sed -E 's/"([a-z-]+)" ("|px)/--cx-\1: \2/g; s/px\(([0-9]+)\)/\1px/g
              s/"//g')

for css in "$here"/*.css; do
    name=$(basename "$css" .css)
    { printf '%s\n' "$theme"; cat "$css"; } > "$out/$name.css"
    "$esbuild" "$out/$name.css" --minify --target=es2020 --log-level=warning \
        --outfile="$out/$name.min.css"
done

# names are made once for all files, so that they are the same everywhere

parts="survey ask more forms touch vitals"
entries=
all=
for part in $parts; do
    entries="$entries cx-$part=$here/$part.js"
    all="$all export * as $part from \"./$part.js\";"
done

# no quoting: one argument a line, none of them has a space
bundle() {
    NODE_PATH=$out:${NODE_PATH:-} "$esbuild" --bundle --format=esm \
        --target=es2020 --minify-syntax --loader:.css=text \
        --mangle-props='^_' --mangle-cache="$out/names.json" \
        --legal-comments=none --log-level=warning $defines $limits "$@"
}

rm -f "$out/names.json"
printf '%s import "./cx.js"' "$all" | (cd "$here" && bundle > /dev/null)
bundle "cx=$here/cx.js" $entries --outdir="$out"

# the one that is no module keeps its names to itself.  What every page with a
# survey runs to its end is compiled whole, beside the main thread: Chromium
# reads the first line

{ printf '(()=>{"use strict";'; cat "$out/cx.js"; printf '})()\n'; } \
    > "$out/cx.tmp"
mv "$out/cx.tmp" "$out/cx.js"

for js in "$out"/cx*.js; do
    node "${NODE_PATH%%:*}/terser/bin/terser" "$js" --ecma 2020 --module \
        --compress passes=3,unsafe_arrows,unsafe_methods,keep_fargs=false \
        --mangle --output "$out/small.tmp"
    case $js in
        *cx.js | *survey.js | *ask.js | *vitals.js)
            echo '//# allFunctionsCalledOnLoad' ;;
    esac | cat - "$out/small.tmp" > "$js"
done

# what the headers do not define would fail in the browser only

for js in "$out"/cx*.js; do
    if grep -oE '\bCX_[A-Z_]+' "$js" >&2; then
        echo "ngx_cx: the widget names what include/ does not define" >&2
        exit 1
    fi
done

# names.json goes with them: who builds another part needs the same names

mv "$out"/cx*.js "$out/names.json" "$done"
