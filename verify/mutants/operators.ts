/**
 * The operators of mutation: each finds places in the syntax tree and says what else could stand there.
 * @module
 */
import { ts } from "./typescript.ts";

/** What is done to the sources, one place at a time. */
export const operators = [
  "drop-property",
  "drop-argument",
  "swap",
  "negate-condition",
  "shift-bound",
  "change-operator",
  "change-constant",
  "return-early",
  "first-row",
] as const;

/** The name of such an operator. */
export type Operator = typeof operators[number];

/** One change of a text: the characters from `start` up to `end` become `text`. */
export interface Edit {
  readonly operator: Operator;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Lists of more literals than this are data: only their first is changed. */
const longestList = 16;

/** Functions whose arguments may stand in any order. */
const commutative = /^(Math\.(min|max|hypot)|tf\.(add|mul|maximum|minimum|squaredDifference))$/;

/** Comparisons, and those with the bound on the other side of it. */
const shifted: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };

const replaced: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "**": "*",
  "&&": "||",
  "||": "&&",
  "===": "!==",
  "!==": "===",
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "&": "|",
  "|": "&",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "++": "--",
  "--": "++",
};

/** All changes of a TypeScript file, in the order of their places; those of types, imports and errors' words are left out. */
export function editsOf(text: string): Edit[] {
  const source = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest, true);
  const found: Edit[] = [];
  const visit = (node: ts.Node): void => {
    if (isNotRun(node)) return;
    found.push(...at(node, source));
    node.forEachChild(visit);
  };
  visit(source);
  const keys = new Set<string>();
  return found.filter(({ start, end, text: other }) => {
    const key = `${start} ${end} ${other}`;
    if (keys.has(key) || text.slice(start, end) === other) return false;
    keys.add(key);
    return true;
  }).sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Types and the names of modules have no effect when the program runs. */
function isNotRun(node: ts.Node): boolean {
  return ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ||
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeParameterDeclaration(node);
}

function at(node: ts.Node, source: ts.SourceFile): Edit[] {
  const text = (part: ts.Node) => part.getText(source);
  const put = (operator: Operator, place: ts.Node, by: string): Edit => ({
    operator,
    start: place.getStart(source),
    end: place.getEnd(),
    text: by,
  });
  const found: Edit[] = [];

  if (ts.isObjectLiteralExpression(node)) {
    const { properties } = node;
    properties.forEach((property, i) => {
      if (!ts.isMethodDeclaration(property)) found.push(dropped("drop-property", properties, i, source));
      const next = properties[i + 1];
      const [own, other] = [valueOf(property), next && valueOf(next)];
      if (own && other && text(own) !== text(other)) {
        const between = source.text.slice(property.getEnd(), next.getStart(source));
        const swapped = [`${text(property.name!)}: ${text(other)}`, `${text(next.name!)}: ${text(own)}`];
        found.push({ ...put("swap", property, swapped.join(between)), end: next.getEnd() });
      }
    });
  }

  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const list = node.arguments ?? ts.factory.createNodeArray<ts.Expression>();
    list.forEach((_, i) => found.push(dropped("drop-argument", list, i, source)));
    if (!commutative.test(text(node.expression))) found.push(...swaps(list));
    const [from, to] = list;
    const method = ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : "";
    if (["slice", "subarray"].includes(method) && list.length === 2 && text(from) !== "0") {
      const edit = put("first-row", from, `0, ${wrapped(to)} - ${wrapped(from)}`);
      found.push({ ...edit, end: to.getEnd() });
    }
    if (method === "at" && list.length === 1 && !isLiteral(from)) found.push(put("first-row", from, "0"));
  }

  if (ts.isArrayLiteralExpression(node) && !isLongList(node)) found.push(...swaps(node.elements));

  const condition = conditionOf(node);
  if (condition !== undefined) {
    const inner =
      ts.isPrefixUnaryExpression(condition) && condition.operator === ts.SyntaxKind.ExclamationToken
        ? text(condition.operand)
        : `!(${text(condition)})`;
    found.push(put("negate-condition", condition, inner));
  }

  if (ts.isBinaryExpression(node)) {
    const sign = node.operatorToken;
    if (shifted[text(sign)] !== undefined) found.push(put("shift-bound", sign, shifted[text(sign)]));
    const other = replaced[text(sign)];
    const negates = text(sign) === "===" || text(sign) === "!==";
    if (other !== undefined && !(negates && isCondition(node))) {
      found.push(put("change-operator", sign, other));
    }
    if (text(sign) === "??") found.push(put("change-operator", node, text(node.right)));
    if (["-", "/"].includes(text(sign)) && text(node.left) !== text(node.right)) {
      found.push(put("swap", node, `${wrapped(node.right)} ${text(sign)} ${wrapped(node.left)}`));
    }
  }

  if (ts.isPrefixUnaryExpression(node)) {
    const sign = ts.tokenToString(node.operator)!;
    if (sign === "-" || (sign === "!" && !isCondition(node))) {
      found.push(put("change-operator", node, text(node.operand)));
    }
  }
  if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && !isIncrementor(node)) {
    const sign = ts.tokenToString(node.operator)!;
    if (sign === "++" || sign === "--") {
      const start = ts.isPrefixUnaryExpression(node) ? node.getStart(source) : node.operand.getEnd();
      found.push({ operator: "change-operator", start, end: start + 2, text: replaced[sign] });
    }
  }

  const constant = otherConstant(node, text);
  if (constant !== null && !isData(node)) found.push(put("change-constant", node, constant));

  if (
    ts.isFunctionLike(node) && "body" in node && node.body !== undefined && ts.isBlock(node.body as ts.Node)
  ) {
    const body = node.body as ts.Block;
    const by = earlyReturn(node, text);
    const first = body.statements[0];
    if (by !== null && first !== undefined && text(first) !== by) {
      found.push({ ...put("return-early", first, `${by} `), end: first.getStart(source) });
    }
  }

  if (ts.isElementAccessExpression(node) && !isLiteral(node.argumentExpression) && !isWritten(node)) {
    found.push(put("first-row", node.argumentExpression, "0"));
  }
  if (ts.isIdentifier(node) && isPassedOn(node) && isCounter(node)) {
    const whole = ts.isShorthandPropertyAssignment(node.parent);
    found.push(put("first-row", node, whole ? `${node.text}: 0` : "0"));
  }
  return found;

  function swaps(list: readonly ts.Expression[]): Edit[] {
    return list.slice(1).flatMap((next, i) => {
      const own = list[i];
      if (ts.isSpreadElement(own) || ts.isSpreadElement(next) || text(own) === text(next)) return [];
      const between = source.text.slice(own.getEnd(), next.getStart(source));
      return [{ ...put("swap", own, text(next) + between + text(own)), end: next.getEnd() }];
    });
  }

  function wrapped(part: ts.Expression): string {
    const simple = ts.isIdentifier(part) || isLiteral(part) || ts.isParenthesizedExpression(part) ||
      ts.isCallExpression(part) || ts.isPropertyAccessExpression(part) || ts.isElementAccessExpression(part);
    return simple ? text(part) : `(${text(part)})`;
  }
}

/** Removes an item of a list with its comma. */
function dropped(operator: Operator, list: ts.NodeArray<ts.Node>, i: number, source: ts.SourceFile): Edit {
  const [start, end] = list.length === 1
    ? [list[0].getStart(source), list.end]
    : i + 1 < list.length
    ? [list[i].getStart(source), list[i + 1].getStart(source)]
    : [list[i - 1].getEnd(), list[i].getEnd()];
  return { operator, start, end, text: "" };
}

function valueOf(property: ts.ObjectLiteralElementLike): ts.Expression | undefined {
  if (ts.isPropertyAssignment(property)) return property.initializer;
  return ts.isShorthandPropertyAssignment(property) ? property.name : undefined;
}

function conditionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression;
  if (ts.isForStatement(node) || ts.isConditionalExpression(node)) return node.condition;
  return undefined;
}

function isCondition(node: ts.Node): boolean {
  return conditionOf(node.parent) === node;
}

function isIncrementor(node: ts.Node): boolean {
  return ts.isForStatement(node.parent) && node.parent.incrementor === node;
}

function isLiteral(node: ts.Node): boolean {
  return ts.isNumericLiteral(node) || ts.isStringLiteralLike(node);
}

/** Another whole number, another number, the other truth value, or no name for one; null for what is no constant. */
function otherConstant(node: ts.Node, text: (part: ts.Node) => string): string | null {
  if (ts.isNumericLiteral(node)) {
    const value = Number(node.text);
    if (isName(node)) return null;
    return String(Number.isSafeInteger(value) ? value + 1 : 2 * value);
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
    return String(text(node) === "false");
  }
  // Words for people have spaces.
  if (ts.isStringLiteralLike(node) && !isName(node) && /^\S+$/.test(node.text) && !isOfError(node)) {
    return '""';
  }
  return null;
}

/** Whether it names a property, a module or a key of an element. */
function isName(node: ts.Node): boolean {
  const { parent } = node;
  return (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) && parent.name === node;
}

function isOfError(node: ts.Node): boolean {
  for (let above = node.parent; above !== undefined; above = above.parent) {
    if (ts.isThrowStatement(above)) return true;
    if (ts.isNewExpression(above) && /Error$/.test(above.expression.getText())) return true;
    if (ts.isStatement(above)) return false;
  }
  return false;
}

function isLongList(node: ts.Node): boolean {
  return ts.isArrayLiteralExpression(node) && node.elements.length > longestList;
}

/** Whether it belongs to a long list and is not of its first element. */
function isData(node: ts.Node): boolean {
  for (let own = node; own.parent !== undefined && !ts.isStatement(own); own = own.parent) {
    const { parent } = own;
    if (ts.isArrayLiteralExpression(parent) && isLongList(parent) && parent.elements[0] !== own) return true;
  }
  return false;
}

/** The statement that ends a function at its start: with its first parameter where it returns that type, else with nothing. */
function earlyReturn(node: ts.SignatureDeclaration, text: (part: ts.Node) => string): string | null {
  if (ts.isConstructorDeclaration(node) || ts.isAccessor(node)) return null;
  const type = node.type && text(node.type);
  if (type === undefined || /^(void|Promise<void>)$/.test(type) || /Generator</.test(type)) return "return;";
  const first = node.parameters[0];
  const own = first?.type && text(first.type);
  const fits = own !== undefined && (own === type || `Promise<${own}>` === type);
  return fits && ts.isIdentifier(first.name) ? `return ${first.name.text};` : null;
}

function isWritten(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) {
    return parent.operator === ts.SyntaxKind.PlusPlusToken ||
      parent.operator === ts.SyntaxKind.MinusMinusToken;
  }
  if (!ts.isBinaryExpression(parent) || parent.left !== node) return false;
  const { kind } = parent.operatorToken;
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** Whether it is an argument, a value of a property or a part of a text. */
function isPassedOn(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isCallExpression(parent)) return parent.expression !== node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  return ts.isShorthandPropertyAssignment(parent) || ts.isTemplateSpan(parent);
}

/** Whether it is the variable of a loop, or the index that a method of arrays hands to its callback. */
function isCounter(node: ts.Identifier): boolean {
  for (let above: ts.Node = node.parent; above !== undefined; above = above.parent) {
    if (ts.isForStatement(above) && above.initializer && ts.isVariableDeclarationList(above.initializer)) {
      if (above.initializer.declarations.some(({ name }) => name.getText() === node.text)) {
        return node.getStart() > above.statement.getStart();
      }
    }
    if (ts.isFunctionLike(above)) {
      const named = above.parameters.findIndex(({ name }) => name.getText() === node.text);
      if (named >= 0) return named === 1 && ts.isArrowFunction(above) && ts.isCallExpression(above.parent);
    }
  }
  return false;
}
