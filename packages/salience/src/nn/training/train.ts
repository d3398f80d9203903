/** @file The training loop: one compiled program a step, a policy around it, and checkpoints that go on bit for bit. */

import { InputError, ParameterError, SalienceError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { type Compiled, compile, float32, type Tensor, type Tensors, type Tree, tree } from '../../runtime/index.ts';
import { chosen, type TensorChoice } from '../optimisers/chain.ts';
import type { Schedule } from '../optimisers/schedules.ts';
import type { OptimiserState } from '../optimisers/transform.ts';
import type { ParameterTensors } from '../parameters.ts';
import type { Plan, Policy, PolicyState, Standing, TrainingChange } from './policy.ts';
import { fingerprint, loadTraining, type SavedTraining, saveTraining } from './saved-training.ts';
import { lossOf, type StepArguments, type StepParts, trainingStep } from './training-step.ts';

/** Numbers that `evaluate` gave after so many steps. */
export interface Evaluation {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface Training<Batch, Observed = Tree<Tensor>> extends Omit<StepParts<Batch>, 'policy'> {
  readonly parameters: ParameterTensors;
  /** Tensors that are trained where the policy says nothing else; default all. */
  readonly trained?: TensorChoice;
  /** Learning rate at each step, from 0. */
  readonly schedule: Schedule;
  readonly steps: number;
  /** The batch of a step: the same for the same step, or going on from a checkpoint is not exact. */
  readonly batches: (step: number) => Tensors<Batch> | Promise<Tensors<Batch>>;
  readonly run: Run;
  readonly policy?: Policy<Tensors<Batch>, Observed>;
  /** Saves every so many steps and at the end; a training that was saved in the folder goes on from there. */
  readonly checkpoint?: { readonly folder: string; readonly every: number };
  /** Every so many steps and at the end. */
  readonly evaluate?: {
    readonly every: number;
    readonly measure: (parameters: ParameterTensors, step: number) => Promise<Readonly<Record<string, number>>>;
  };
  /** What progress and log call it; default `training`. */
  readonly name?: string;
  /** Whether the log gets some twenty lines of its course; default true. Progress is told in any case. */
  readonly log?: boolean;
}

export interface Trained {
  readonly parameters: ParameterTensors;
  readonly state: OptimiserState;
  /** Of each step, before its update. */
  readonly losses: readonly number[];
  readonly evaluations: readonly Evaluation[];
  /** Programs that were compiled for steps in this call. */
  readonly programs: number;
}

/** Programs of different trained sets that are kept. */
const programsKept = 8;

/**
 * Trains parameters by a loss of batches. Parameters and state go in and out of one compiled step; nothing is compiled again as long as
 * shapes and the set of trained tensors stay. With a checkpoint, a training that is broken off and begun again gives the same bits as
 * one that was not.
 * @returns the new tensors; those given are not changed.
 * @throws SalienceError naming the step and the tensor when a loss or a gradient is no finite number; InputError for a checkpoint of
 * another training and for names that are no parameters; ParameterError for options out of range; CancelledError.
 */
export async function train<Batch, Observed = Tree<Tensor>>(options: Training<Batch, Observed>): Promise<Trained> {
  const { steps, run, policy, schedule, checkpoint, evaluate, name = 'training', log = true } = options;
  atLeast('steps', steps, 0);
  if (checkpoint) atLeast('checkpoint.every', checkpoint.every, 1);
  if (evaluate) atLeast('evaluate.every', evaluate.every, 1);
  const parts = options as unknown as StepParts<Batch>;
  const programs = new StepPrograms(parts);
  const forward = compile(
    (parameters: never, batch: Batch, extras: never) => lossOf(parts, parameters, batch, extras)[0],
  );
  const course = checkpoint ? await resumed(options) : beginning(options);
  const standing = (): Standing<Tensors<Batch>> => ({
    step: course.step,
    parameters: course.parameters,
    state: course.state,
    loss: async (batch, extras = {}, parameters = course.parameters) =>
      (await forward(parameters as never, batch as never, extras as never)).data[0],
  });
  const logEvery = Math.max(1, Math.floor(steps / 20));
  const takes = chosen(options.trained ?? (() => true));
  try {
    while (course.step < steps) {
      run.check();
      const { step } = course;
      const plan = (await policy?.before?.(standing())) ?? {};
      apply(course, plan);
      const result = await oneStep(options, course, plan, takes, programs);
      course.step++;
      course.losses.push(result.loss);
      const change = await policy?.after?.(
        { ...standing(), lossBefore: result.loss, metrics: result.metrics },
        result.observed as Observed | undefined,
      );
      if (change) apply(course, change);
      const last = course.step === steps;
      if (evaluate && (last || course.step % evaluate.every === 0)) {
        const values = await evaluate.measure(course.parameters, course.step);
        course.evaluations.push({ step: course.step, values });
        if (log) run.log(`${name}: step ${course.step} of ${steps}: ${written(values)}`);
      }
      if (log && (last || step % logEvery === 0)) {
        const rate = schedule(step).toPrecision(3);
        run.log(
          `${name}: step ${course.step} of ${steps}: ${written({ loss: result.loss, ...result.metrics })}, rate ${rate}`,
        );
      }
      run.progress(name, course.step, steps);
      if (checkpoint && (last || course.step % checkpoint.every === 0)) await save(options, course);
    }
  } finally {
    await programs.dispose();
    await forward.dispose();
  }
  const { parameters, state, losses, evaluations } = course;
  return { parameters, state, losses, evaluations, programs: programs.made };
}

/** Where a training is. */
interface Course {
  step: number;
  parameters: Record<string, Tensor<'float32'>>;
  state: Record<string, Tree<Tensor>>;
  losses: number[];
  evaluations: Evaluation[];
}

function beginning({ parameters }: { readonly parameters: ParameterTensors }): Course {
  return { step: 0, parameters: { ...parameters }, state: {}, losses: [], evaluations: [] };
}

/** Replaces tensors and forgets states. */
function apply(course: Course, { parameters = {}, forget = [] }: TrainingChange): void {
  for (const [name, value] of Object.entries(parameters)) {
    const before = course.parameters[name];
    if (value === null || (before && !sameShape(before, value))) delete course.state[name];
    if (value === null) delete course.parameters[name];
    else course.parameters[name] = value;
  }
  for (const name of forget) delete course.state[name];
}

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((length, i) => length === b.shape[i]);
}

/** The compiled steps, one for each set of trained tensors; the least recently used go first. */
class StepPrograms<Batch> {
  made = 0;
  readonly #parts: StepParts<Batch>;
  readonly #programs = new Map<string, Compiled<[StepArguments<Batch>], ReturnType<ReturnType<typeof trainingStep>>>>();

  constructor(parts: StepParts<Batch>) {
    this.#parts = parts;
  }

  async get(key: string, observed: boolean) {
    let program = this.#programs.get(key);
    this.#programs.delete(key);
    if (!program) {
      program = compile(trainingStep(this.#parts, observed));
      this.made++;
    }
    this.#programs.set(key, program);
    if (this.#programs.size > programsKept) {
      const [oldest, unused] = this.#programs.entries().next().value!;
      this.#programs.delete(oldest);
      await unused.dispose();
    }
    return program;
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await program.dispose();
    this.#programs.clear();
  }
}

async function oneStep<Batch, Observed>(
  { optimiser, schedule, batches, policy }: Training<Batch, Observed>,
  course: Course,
  plan: Plan,
  takes: (name: string) => boolean,
  programs: StepPrograms<Batch>,
) {
  const { step, parameters } = course;
  const trainedSet = plan.trained && new Set(plan.trained);
  const watchedSet = new Set(plan.watched);
  for (const [what, names] of Object.entries({ trained: plan.trained, moved: plan.moved, watched: plan.watched })) {
    const unknown = names?.find((name) => !(name in parameters));
    if (unknown !== undefined) throw new InputError(`step ${step}: there is no parameter "${unknown}" to be ${what}`);
  }
  // Always in the order of the parameters, so that the program and its sums are the same whatever order a policy names them in.
  const trained: Record<string, Tensor> = {};
  const watched: Record<string, Tensor> = {};
  const fixed: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (trainedSet ? trainedSet.has(name) : takes(name)) trained[name] = value;
    else if (watchedSet.has(name)) watched[name] = value;
    else fixed[name] = value;
  }
  const names = Object.keys(trained);
  if (names.length === 0) throw new InputError(`step ${step}: no tensor is trained`);
  const fresh = names.filter((name) => !(name in course.state));
  const begun = optimiser.init(Object.fromEntries(fresh.map((name) => [name, parameters[name]])));
  const state = Object.fromEntries(names.map((name) => [name, course.state[name] ?? begun[name]]));

  const rate = schedule(step);
  if (!Number.isFinite(rate)) throw new ParameterError(`the schedule gives ${rate} at step ${step}`);
  const flags = plan.moved && new Set(plan.moved);
  const unmoved = plan.moved?.find((name) => !(name in trained));
  if (unmoved !== undefined) throw new InputError(`step ${step}: "${unmoved}" is to be moved but is not trained`);
  const observed = Boolean(policy?.observe) && plan.observed !== false;
  const args = {
    trained,
    watched,
    fixed,
    state,
    batch: await batches(step),
    extras: plan.extras ?? {},
    inputs: { rate: float32([], [rate]), step: float32([], [step]) },
    ...(flags && {
      moved: float32(
        [names.length],
        names.map((name) => Number(flags.has(name))),
      ),
    }),
    ...(plan.rates && {
      rates: float32(
        [names.length],
        names.map((name) => plan.rates?.[name] ?? 1),
      ),
    }),
  };
  const key = JSON.stringify([observed, flags !== undefined, plan.rates !== undefined, names, Object.keys(watched)]);
  const program = await programs.get(key, observed);
  const result = (await program(args as never)) as unknown as StepResult;
  const loss = result.loss.data[0];
  checkFinite(step, loss, result.sums.data, [...names, ...Object.keys(watched)]);

  for (const [name, value] of Object.entries(result.buffers)) {
    if (!(name in fixed)) {
      throw new InputError(
        `step ${step}: the loss renews "${name}", which is ${name in parameters ? 'trained' : 'no parameter'}; leave it out of "trained"`,
      );
    }
    parameters[name] = value;
  }
  Object.assign(parameters, result.trained);
  Object.assign(course.state, result.state);
  const metrics = Object.fromEntries(Object.entries(result.metrics).map(([name, { data }]) => [name, data[0]]));
  return { loss, metrics, observed: observed ? result.observed : undefined };
}

interface StepResult {
  readonly loss: Tensor;
  readonly sums: Tensor;
  readonly buffers: Readonly<Record<string, Tensor<'float32'>>>;
  readonly metrics: Readonly<Record<string, Tensor>>;
  readonly trained: Readonly<Record<string, Tensor<'float32'>>>;
  readonly state: Readonly<Record<string, Tree<Tensor>>>;
  readonly observed: Tree<Tensor>;
}

/** A sum is finite only if all that is summed is. */
function checkFinite(step: number, loss: number, sums: ArrayLike<number>, names: readonly string[]): void {
  const first = names.find((_, i) => !Number.isFinite(sums[i]));
  if (Number.isFinite(loss) && first === undefined) return;
  const of =
    first === undefined ? 'all gradients are finite' : `the first gradient that is not finite is that of "${first}"`;
  throw new SalienceError(
    `step ${step}: the loss is ${loss} and ${of}; look at the batch of this step, or lower the learning rate`,
  );
}

async function save<Batch, Observed>(
  { checkpoint, parameters: first, policy, run }: Training<Batch, Observed>,
  course: Course,
) {
  const { step, parameters, state, losses, evaluations } = course;
  const { tensors: kept, notes: policyNotes = null } = policy?.save?.() ?? { tensors: {} };
  const tensors: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(parameters))
    if (first[name] !== value) tensors[`parameter/${name}`] = value;
  const structures: Record<string, unknown> = {};
  for (const [name, own] of Object.entries(state)) {
    const leaves = tree.leaves(own as never) as Tensor[];
    let next = 0;
    structures[name] = numbered(own, () => next++);
    leaves.forEach((leaf, i) => {
      tensors[`state/${i}/${name}`] = leaf;
    });
  }
  for (const [name, value] of Object.entries(kept)) tensors[`policy/${name}`] = value;
  tensors.losses = float32([losses.length], losses);
  const notes = {
    step,
    seed: run.seed,
    began: fingerprint(first),
    shapes: shapesOf(first),
    names: Object.keys(parameters),
    structures,
    evaluations,
    policy: policyNotes,
  };
  await saveTraining(checkpoint!.folder, { tensors, notes });
}

/** The tree with numbers for leaves. */
function numbered(of: Tree<Tensor>, next: () => number): unknown {
  if (Array.isArray(of)) return of.map((part) => numbered(part, next));
  if (of.constructor !== Object) return next();
  return Object.fromEntries(Object.entries(of).map(([key, part]) => [key, numbered(part as Tree<Tensor>, next)]));
}

function shapesOf(parameters: ParameterTensors): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, shape]));
}

/** What `save` notes. */
interface Notes {
  readonly step: number;
  readonly seed: number;
  readonly began: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly names: readonly string[];
  readonly structures: Readonly<Record<string, unknown>>;
  readonly evaluations: readonly Evaluation[];
  readonly policy: unknown;
}

async function resumed<Batch, Observed>({
  checkpoint,
  parameters,
  policy,
  run,
  steps,
}: Training<Batch, Observed>): Promise<Course> {
  const { folder } = checkpoint!;
  const saved = await loadTraining(folder);
  if (!saved) return beginning({ parameters });
  const { tensors } = saved;
  const notes = saved.notes as unknown as Notes;
  checkSame(folder, notes, parameters, run.seed, steps);
  const leaf = (key: string) => {
    if (!(key in tensors)) throw new InputError(`${folder}: the saved training has no tensor "${key}"`);
    return tensors[key];
  };
  const names = notes.names.map((name) => [
    name,
    `parameter/${name}` in tensors ? tensors[`parameter/${name}`] : parameters[name],
  ]);
  const restored = (structure: unknown, name: string): Tree<Tensor> => {
    if (typeof structure === 'number') return leaf(`state/${structure}/${name}`);
    if (Array.isArray(structure)) return structure.map((part) => restored(part, name));
    return Object.fromEntries(Object.entries(structure as object).map(([key, part]) => [key, restored(part, name)]));
  };
  policy?.restore?.({ tensors: policyTensors(saved), notes: notes.policy ?? undefined } satisfies PolicyState);
  run.log(`goes on after step ${notes.step}, saved in ${folder}`);
  return {
    step: notes.step,
    parameters: Object.fromEntries(names) as Record<string, Tensor<'float32'>>,
    state: Object.fromEntries(Object.entries(notes.structures).map(([name, own]) => [name, restored(own, name)])),
    losses: Array.from(leaf('losses').data),
    evaluations: [...notes.evaluations],
  };
}

function policyTensors({ tensors }: SavedTraining): Record<string, Tensor> {
  const prefix = 'policy/';
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Refuses a checkpoint of another training. */
function checkSame(folder: string, notes: Notes, parameters: ParameterTensors, seed: number, steps: number): void {
  const other = (what: string) =>
    new InputError(`${folder} has a checkpoint of another training: ${what}; name another folder, or remove it`);
  const list = (shape: readonly number[]) => `[${shape.join(', ')}]`;
  for (const [name, { shape }] of Object.entries(parameters)) {
    const saved = notes.shapes[name];
    if (!saved) throw other(`it has no parameter "${name}"`);
    if (list(saved) !== list(shape)) throw other(`its "${name}" has shape ${list(saved)}, not ${list(shape)}`);
  }
  const extra = Object.keys(notes.shapes).find((name) => !(name in parameters));
  if (extra !== undefined) throw other(`it has a parameter "${extra}"`);
  if (notes.seed !== seed) throw other(`its seed is ${notes.seed}, not ${seed}`);
  if (notes.began !== fingerprint(parameters)) throw other('it began with other values of the parameters');
  if (notes.step > steps) throw other(`it is ${notes.step} steps long, and this one is to have ${steps}`);
}

function atLeast(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new ParameterError(`${name} is a whole number of ${least} or more, not ${value}`);
  }
}

function written(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(5))}`)
    .join(', ');
}
