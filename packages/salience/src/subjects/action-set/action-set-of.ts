/** @file The action set of a table: what is found in its columns, and what a file says about them. */

import { InputError } from '../../core/errors.ts';
import { type ActionSet, actionSet } from '../../numerics/actions/action-set.ts';
import type { ActionConstraint } from '../../numerics/actions/constraints.ts';
import { type ActionElement, actionElement } from '../../numerics/actions/element.ts';
import { readText } from '../reading.ts';
import type { Column, Table } from '../table/table.ts';
import { type ActionFile, type ActionFileConstraint, type ActionFileElement, parseActionFile } from './action-file.ts';
import { nearest } from './near-names.ts';

/**
 * The action set of a table. Without a file every column may change, both ways, within the least and the greatest of its values; a
 * category may become any of its levels; a column without a value stays as it is.
 * @param path an action file; its texts name columns and levels.
 * @throws InputError if the file is not as it must be, names a column or a level that the table does not have, or contradicts itself.
 */
export async function actionSetFor(table: Table, path?: string): Promise<ActionSet> {
  if (path === undefined || path === '') return actionSetOf(table);
  return actionSetOf(table, parseActionFile(await readText(path, 'an action set'), path), path);
}

/** The action set of a table from a file's contents; `name` is how errors call it. */
export function actionSetOf(table: Table, file?: ActionFile, name = 'the action set'): ActionSet {
  const { columns } = table;
  const inFile = <T>(what: () => T): T => {
    try {
      return what();
    } catch (error) {
      if (file && error instanceof InputError && !error.message.startsWith(`${name}: `)) {
        throw new InputError(`${name}: ${error.message}`, { cause: error });
      }
      throw error;
    }
  };
  const numbers = new Map(columns.map((column, j) => [column.name, j]));
  const numberOf = (column: string, place: string): number => {
    const j = numbers.get(column);
    if (j !== undefined) return j;
    const isTarget = table.target?.name === column;
    const near = nearest(column, [...numbers.keys()]);
    throw new InputError(
      `${name}: ${place}: ${isTarget ? `"${column}" is the target, no feature` : `there is no column "${column}"`}${near.length > 0 ? `; near ${near.map((each) => `"${each}"`).join(', ')}` : ''}`,
    );
  };
  const fixed = new Set((file?.fixed ?? []).map((column) => numberOf(column, 'fixed')));
  const said = new Map<number, ActionFileElement>();
  for (const [column, element] of Object.entries(file?.features ?? {})) said.set(numberOf(column, 'features'), element);
  for (const j of fixed) {
    if (said.get(j)?.actionable)
      throw new InputError(`${name}: ${columns[j].name} is in fixed and also actionable; it can be one`);
  }
  const tied = (file?.constraints ?? []).map((constraint, i) =>
    constraintOf(
      constraint,
      columns,
      (column) => numberOf(column, `constraints[${i}] (${constraint.type})`),
      `${name}: constraints[${i}] (${constraint.type})`,
    ),
  );
  const elements = columns.map((column, j) =>
    inFile(() => {
      const element = said.get(j);
      const open = file?.others !== 'fixed' || element !== undefined;
      return elementOf(column, { ...element, actionable: !fixed.has(j) && (element?.actionable ?? open) });
    }),
  );
  return inFile(() => actionSet(elements, tied));
}

const signs = { up: 1, down: -1, both: 0 } as const;

function elementOf(column: Column, said: ActionFileElement): ActionElement {
  const { name, kind, levels, values } = column;
  const refuse = (what: string): never => {
    throw new InputError(`feature ${name}: ${what}`);
  };
  const code = (value: string | number | boolean | undefined) =>
    value === undefined ? undefined : codeOf(column, value, `feature ${name}`);
  const { actionable, direction, stepLb, stepUb, step } = said;
  const given = {
    actionable,
    ...(direction && { direction: signs[direction] }),
    ...(stepLb !== undefined && { stepLb }),
    ...(stepUb !== undefined && { stepUb }),
  };
  if (kind === 'categorical') {
    for (const key of ['lb', 'ub', 'direction', 'stepLb', 'stepUb', 'step', 'kind'] as const) {
      if (said[key] !== undefined) refuse(`${key} needs an order, and its levels have none; give values`);
    }
    const all = (levels ?? []).map((_, i) => i);
    const allowed = said.values?.map((value) => code(value)!).sort((a, b) => a - b) ?? all;
    return actionElement(name, values, {
      ...given,
      kind: 'integer',
      lb: 0,
      ub: Math.max(0, all.length - 1),
      values: [...new Set(allowed)],
    });
  }
  const missing = values.every(Number.isNaN);
  if (missing) {
    if (said.actionable && Object.keys(said).length > 1)
      refuse('it has no value in any row, so nothing can be said of its changes');
    return actionElement(name, [0], { kind: 'number', actionable: false });
  }
  if (said.kind && levels) refuse(`its values are the levels ${levels.join(', ')}; it can be no ${said.kind}`);
  const found = said.kind ?? (kind === 'number' ? 'number' : kind === 'boolean' ? 'boolean' : undefined);
  if (said.kind === 'integer' && !values.every((value) => Number.isNaN(value) || Number.isInteger(value))) {
    refuse('kind integer, and some of its values are no whole numbers');
  }
  return actionElement(name, values, {
    ...given,
    ...(found && { kind: found }),
    ...(kind === 'ordinal' && { kind: 'integer', lb: 0, ub: (levels?.length ?? 1) - 1 }),
    ...(said.lb !== undefined && { lb: code(said.lb)! }),
    ...(said.ub !== undefined && { ub: code(said.ub)! }),
    ...(step !== undefined && { step }),
    ...(said.values && { values: said.values.map((value) => code(value)!).sort((a, b) => a - b) }),
  });
}

/** The number of a value in a column: the code of a level by its text, or the number itself. */
function codeOf({ name, kind, levels }: Column, value: string | number | boolean, place: string): number {
  if (levels) {
    const at = levels.indexOf(String(value));
    if (at >= 0) return at;
    const lower = levels.findIndex((level) => level.toLowerCase() === String(value).toLowerCase());
    if (lower >= 0) return lower;
    if (kind === 'boolean' && (value === 0 || value === 1 || value === false || value === true)) return Number(value);
    const near = nearest(String(value), levels);
    throw new InputError(
      `${place}: ${JSON.stringify(value)} is none of the levels of ${name}${near.length > 0 ? `; near ${near.map((level) => `"${level}"`).join(', ')}` : `: ${levels.slice(0, 12).join(', ')}`}`,
    );
  }
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(number))
    throw new InputError(`${place}: ${JSON.stringify(value)} is no finite number, and ${name} has numbers`);
  return number;
}

function constraintOf(
  constraint: ActionFileConstraint,
  columns: readonly Column[],
  numberOf: (column: string) => number,
  place: string,
): ActionConstraint {
  const code = (j: number, value: string | number | boolean) => codeOf(columns[j], value, place);
  const conditionOf = ({
    feature,
    is,
    value,
  }: {
    feature: string;
    is: '=' | '>=' | '<=';
    value: string | number | boolean;
  }) => {
    const j = numberOf(feature);
    if (is !== '=' && columns[j].kind === 'categorical')
      throw new InputError(`${place}: ${feature} has levels without an order; only "=" can be asked of it`);
    return { feature: j, is, value: code(j, value) };
  };
  switch (constraint.type) {
    case 'oneHot':
      return { ...constraint, features: constraint.features.map(numberOf) };
    case 'ordinal':
    case 'thermometer':
      return { ...constraint, features: constraint.features.map(numberOf), direction: signs[constraint.direction] };
    case 'directionalLinkage': {
      const { source, targets, keepBounds, type } = constraint;
      return {
        type,
        source: numberOf(source),
        targets: Object.entries(targets).map(([feature, scale]) => ({ feature: numberOf(feature), scale })),
        keepBounds,
      };
    }
    case 'ifThen': {
      const { type, if: premise, then: conclusion } = constraint;
      return { type, if: conditionOf(premise), implies: conditionOf(conclusion) };
    }
    case 'mutabilitySwitch': {
      const at = numberOf(constraint.switch);
      return { ...constraint, switch: at, on: code(at, constraint.on), targets: constraint.targets.map(numberOf) };
    }
    case 'reachability': {
      const features = constraint.features.map(numberOf);
      const values = constraint.values.map((vector) => {
        if (vector.length !== features.length)
          throw new InputError(`${place}: values [${vector.join(', ')}] are not ${features.length}, one a feature`);
        return vector.map((value, i) => code(features[i], value));
      });
      return { ...constraint, features, values };
    }
    case 'linear': {
      const { type, weights, sense, bound } = constraint;
      const features = Object.keys(weights).map((feature) => {
        const j = numberOf(feature);
        if (columns[j].kind === 'categorical')
          throw new InputError(`${place}: ${feature} has levels without an order and no place in a sum`);
        return j;
      });
      return { type, features, weights: Object.values(weights), sense, bound };
    }
  }
}
