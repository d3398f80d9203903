/** @file Links one after the other, and links for some tensors only. */

import type { JaxArray, Tree } from '../../runtime/index.ts';
import { mapTensors, type OptimiserState, type Transform } from './transform.ts';

/** The updates of each link go into the next; the state of a tensor is the list of its states. */
export function chain(...links: readonly Transform[]): Transform {
  return {
    init(parameters) {
      const states = links.map((link) => link.init(parameters));
      return mapTensors(parameters, (_, name) => states.map((state) => state[name] ?? []));
    },
    update(updates, state, parameters, inputs) {
      const states: OptimiserState<JaxArray>[] = [];
      links.forEach((link, i) => {
        const own = mapTensors(state, (list) => (list as readonly Tree<JaxArray>[])[i]);
        const made = link.update(updates, own, parameters, inputs);
        updates = made.updates;
        states.push(made.state);
      });
      return { updates, state: mapTensors(state, (_, name) => states.map((own) => own[name])) };
    },
  };
}

/** Which tensors: their names, or what is true of their names. */
export type TensorChoice = readonly string[] | ((name: string) => boolean);

/** A choice as a predicate. */
export function chosen(choice: TensorChoice): (name: string) => boolean {
  if (typeof choice === 'function') return choice;
  const names = new Set(choice);
  return (name) => names.has(name);
}

/** Updates only the chosen tensors; all others are frozen: no moment, no decay, no update. */
export function masked(transform: Transform, choice: TensorChoice): Transform {
  const takes = chosen(choice);
  const ofChosen = <Leaf>(record: Readonly<Record<string, Leaf>>) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => takes(name)));
  return {
    init: (parameters) => ({ ...mapTensors(parameters, () => []), ...transform.init(ofChosen(parameters)) }),
    update(updates, state, parameters, inputs) {
      const made = transform.update(ofChosen(updates), ofChosen(state), ofChosen(parameters), inputs);
      return { updates: made.updates, state: { ...state, ...made.state } };
    },
  };
}
