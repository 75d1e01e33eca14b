// Injection oracle: a conforming parser must see one added script in head and
// the same tree otherwise.
//
//   node tree.mjs LIST
//
// LIST is JSON: [{name, in, out}, ...], in and out being files.  Prints a JSON
// array of complaints.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.CX_NODE_MODULES
    || join(here, '../../build/node/node_modules');
const need = createRequire(join(modules, 'from.cjs'));
const { parse } = await import(pathToFileURL(need.resolve('parse5')));

const read = (file) => new TextDecoder('utf-8').decode(readFileSync(file));

function isTag(node) {
    return node.nodeName === 'script'
        && node.attrs.some((a) => a.name === 'src'
                                  && /cx\.js\?[0-9a-f]+$/.test(a.value));
}

function takeScript(document) {
    const html = document.childNodes.find((n) => n.nodeName === 'html');
    const head = html.childNodes.find((n) => n.nodeName === 'head');
    const at = head.childNodes.findIndex(isTag);
    if (at < 0) {
        return 'no script in head';
    }
    head.childNodes.splice(at, 1);
    return null;
}

// where two trees part, or null
function differ(a, b, path) {
    for (const key of ['nodeName', 'value', 'data', 'mode', 'publicId',
                       'systemId', 'name', 'namespaceURI']) {
        if (a[key] !== b[key]) {
            return `${path}: ${key} ${JSON.stringify(a[key])} became `
                + JSON.stringify(b[key]);
        }
    }
    if (JSON.stringify(a.attrs) !== JSON.stringify(b.attrs)) {
        return `${path}: attributes`;
    }
    const kids = (n) => [...n.childNodes ?? [],
                         ...n.content ? [n.content] : []];
    const [x, y] = [kids(a), kids(b)];
    for (let i = 0; i < Math.max(x.length, y.length); i++) {
        if (!x[i] || !y[i]) {
            return `${path}: ${x.length} children became ${y.length}`;
        }
        const found = differ(x[i], y[i], `${path}/${x[i].nodeName}`);
        if (found) {
            return found;
        }
    }
    return null;
}

const complaints = [];

for (const page of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
    const before = parse(read(page.in));
    const after = parse(read(page.out));
    const found = takeScript(after) ?? differ(before, after, '');
    if (found) {
        complaints.push(`${page.name}: ${found}`);
    }
}

console.log(JSON.stringify(complaints));
