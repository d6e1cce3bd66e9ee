/** The declarations against the code, and an example program against the declarations. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

import { client } from './exports.js';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

const { options, fileNames } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path('types/tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  path('types'),
);
const program = ts.createProgram([...fileNames, path('../src/index.d.ts')], options);
const checker = program.getTypeChecker();
const declared = new Map(
  checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path('../src/index.d.ts'))))
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter((symbol) => symbol.flags & ts.SymbolFlags.Value)
    .map((symbol) => [symbol.name, symbol]),
);

test('the example is accepted, with what must be refused refused', () => {
  const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => path('..'), getNewLine: () => '\n' };
  assert.equal(ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host), '');
});

test('what is exported is declared, and nothing else', () => {
  assert.deepEqual([...declared.keys()].sort(), Object.keys(client).sort());
});

const classes = Object.entries(client).filter(([, value]) => typeof value === 'function');

for (const [name, Class] of classes) {
  test(`the members of ${name} are declared, and nothing else`, () => {
    const members = Object.getOwnPropertyNames(Class.prototype).filter((member) => !['constructor', 'name'].includes(member));
    const inCode = [...members, ...Object.getOwnPropertyNames(Class).filter((member) => !['length', 'name', 'prototype'].includes(member))];
    const symbol = declared.get(name);
    const own = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])];
    const inTypes = own.filter(({ flags }) => flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Accessor)).map((each) => each.name);
    assert.deepEqual(inTypes.sort(), inCode.sort());
  });
}

for (const [name, words] of Object.entries(client).filter(([, value]) => typeof value === 'object')) {
  test(`the words of ${name} are declared, and nothing else`, () => {
    const type = checker.getTypeOfSymbolAtLocation(declared.get(name), program.getSourceFile(path('../src/enums.d.ts')));
    const inTypes = type.getProperties().map((property) => [property.name, checker.getTypeOfSymbol(property).value]);
    assert.deepEqual(Object.fromEntries(inTypes), words);
    assert.ok(Object.isFrozen(words));
  });
}

test('the package names its entry', async () => {
  assert.equal(client, await import('../src/index.js'));
});
