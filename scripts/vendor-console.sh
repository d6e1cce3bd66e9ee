#!/bin/sh
# vendor-console.sh: fetch the console's libraries anew, at the versions below, into app/console/static/vendor, and the
# accessibility checker of its tests into tests/console/vendor. Needs npm and a network; nothing else does: what is
# fetched is committed, with its licence, and manifest.json says what each file is and its SHA-256, which a test compares.
# To update a library change its version here, run this, and look at the diff.
set -eu

LIT=3.3.3
DAGRE=3.1.3
UPLOT=1.6.32
AXE=4.14.1
ESBUILD=0.28.2

cd "$(dirname "$0")/.."
pages=app/console/static/vendor
tests=tests/console/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(
    cd "$work"
    npm init -y >/dev/null
    npm install --silent --no-audit --no-fund --ignore-scripts=false \
        "lit@$LIT" "@dagrejs/dagre@$DAGRE" "uplot@$UPLOT" "axe-core@$AXE" "esbuild@$ESBUILD"
    # lit comes as several modules that name each other by package, which no browser resolves: they become one file.
    cat >lit.js <<'MODULE'
export { LitElement, html, svg, css, nothing, noChange } from "lit";
export { repeat } from "lit/directives/repeat.js";
export { classMap } from "lit/directives/class-map.js";
export { ifDefined } from "lit/directives/if-defined.js";
export { live } from "lit/directives/live.js";
export { ref, createRef } from "lit/directives/ref.js";
MODULE
    npx esbuild lit.js --bundle --format=esm --minify --legal-comments=inline --outfile=lit.bundle.js --log-level=error
)
modules=$work/node_modules
cat "$modules/@dagrejs/dagre/LICENSE" "$modules/@dagrejs/dagre/dist/dagre.esm.js.LEGAL.txt" >"$work/dagre.LICENSE"
rm -rf "$pages" "$tests"
mkdir -p "$pages" "$tests"
put() { # put FOLDER NAME VERSION LICENCE SOURCE_FILE FILE LICENCE_FILE
    cp "$5" "$1/$6"
    cp "$7" "$1/$2.LICENSE.txt"
    chmod 644 "$1/$6" "$1/$2.LICENSE.txt"
    printf '  {"file": "%s", "package": "%s", "version": "%s", "licence": "%s", "licenceFile": "%s", "sha256": "%s"}\n' \
        "$6" "$2" "$3" "$4" "$2.LICENSE.txt" "$(sha256sum "$1/$6" | cut -d' ' -f1)" >>"$work/$(basename "$(dirname "$1")").lines"
}
put "$pages" lit "$LIT" BSD-3-Clause "$work/lit.bundle.js" lit.js "$modules/lit/LICENSE"
put "$pages" dagre "$DAGRE" MIT "$modules/@dagrejs/dagre/dist/dagre.esm.js" dagre.js "$work/dagre.LICENSE"
put "$pages" uplot "$UPLOT" MIT "$modules/uplot/dist/uPlot.esm.js" uplot.js "$modules/uplot/LICENSE"
put "$pages" uplot "$UPLOT" MIT "$modules/uplot/dist/uPlot.min.css" uplot.css "$modules/uplot/LICENSE"
put "$tests" axe-core "$AXE" MPL-2.0 "$modules/axe-core/axe.min.js" axe.js "$modules/axe-core/LICENSE"
for folder in "$pages" "$tests"; do
    {
        echo "["
        sed '$!s/$/,/' "$work/$(basename "$(dirname "$folder")").lines"
        echo "]"
    } >"$folder/manifest.json"
done
