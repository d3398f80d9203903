/** @file The Run panel of a method: a form made from its schemas, which works without scripts. */

import type { MethodCard } from '../../runs/cards.ts';
import { type Field, fieldsOf } from '../../runs/form.ts';
import { acceptedFor, budgetHelp, firstBudget, largestUpload } from '../../runs/inputs.ts';
import { lightMethods } from '../../runs/light.ts';
import type { Site } from '../../site.ts';
import type { Asked } from '../context.ts';
import { CsrfField } from '../layout.tsx';

/** The module of the bundle that makes the panel run in place; for `page(…, { modules })`. */
export const runPanelModule = 'src/browser/run-panel.ts';

declare module 'hono/jsx' {
  namespace JSX {
    interface IntrinsicElements {
      'run-panel': Record<string, unknown>;
    }
  }
}

export interface Filled {
  /** Texts by the names of their inputs. */
  readonly values: Readonly<Record<string, string>>;
  /** What is wrong, by the names of their inputs; '' for the whole form. */
  readonly errors: Readonly<Record<string, string>>;
}

const nothing: Filled = { values: {}, errors: {} };

/**
 * The panel. As it stands on cached pages it holds no token: without scripts its button leads to the method's own page, with what was
 * filled in; the script fetches a token when it runs something on the server.
 * @param posted true on pages that are never cached: the form holds the reader's token and is posted as it is.
 */
export function RunPanel({
  c,
  method: { method, entry },
  posted = false,
  filled = nothing,
}: {
  c: Asked;
  method: MethodCard;
  site: Site;
  posted?: boolean;
  filled?: Filled;
}) {
  const { subject } = method;
  const { endings, pasted, sample, reading } = acceptedFor(subject.kind);
  const params = fieldsOf({ owner: entry.id, prefix: 'p.', schema: method.params });
  const options = endings.length > 0 ? fieldsOf({ owner: subject.kind, prefix: 'o.', schema: subject.options }) : [];
  const begun = options.map((field) => ({ ...field, value: reading?.options[field.name] ?? field.value }));
  const { values, errors } = filled;
  const way = posted
    ? ({ method: 'post', action: `/methods/${entry.id}/runs`, enctype: 'multipart/form-data' } as const)
    : ({ method: 'get', action: `/methods/${entry.id}` } as const);
  const wrong = Object.keys(errors);
  return (
    <run-panel
      class="run-panel"
      data-method={entry.id}
      data-light={lightMethods.includes(entry.id) ? subject.kind : undefined}
    >
      <form {...way}>
        {posted && <CsrfField c={c} />}
        {wrong.length > 0 && (
          <p class="error" role="alert">
            {errors[''] ?? 'Something in the form is not right; see below.'}
          </p>
        )}
        <p class="muted">
          {`Runs on ${sample}${endings.length === 0 ? '' : `, unless you ${pasted ? 'paste a text or ' : ''}choose a file`}.`}
          {reading && ' The model stays the same; your own is one for the command line.'}
        </p>
        {pasted && (
          <div class="field">
            <label for="run-text">{reading?.label ?? 'Text'}</label>
            <textarea
              id="run-text"
              name={posted ? 'text' : undefined}
              data-input="text"
              rows={6}
              maxlength={largestUpload}
              aria-describedby={reading && 'run-text-help'}
            >
              {values.text ?? ''}
            </textarea>
            {reading && (
              <p class="meta" id="run-text-help">
                {reading.hint} <a href={`/methods/${entry.id}?example#run`}>Begin with a text that it understands</a>
              </p>
            )}
            <Wrong of="text" errors={errors} />
          </div>
        )}
        {endings.length > 0 && (
          <div class="field">
            <label for="run-file">File</label>
            <input
              id="run-file"
              type="file"
              name={posted ? 'file' : undefined}
              data-input="file"
              accept={endings.join(',')}
              aria-describedby="run-file-help"
            />
            <p class="meta" id="run-file-help">
              {`${endings.join(', ')}; ${largestUpload / 1e6} MB at the most`}
            </p>
            <Wrong of="file" errors={errors} />
          </div>
        )}
        <div class="field">
          <label for="run-budget">Budget</label>
          <input
            id="run-budget"
            name="budget"
            value={values.budget ?? firstBudget(method)}
            required
            maxlength={100}
            aria-describedby="run-budget-help"
          />
          <p class="meta" id="run-budget-help">
            {budgetHelp}
          </p>
          <Wrong of="budget" errors={errors} />
        </div>
        <Group title="Parameters" fields={params} filled={filled} />
        <Group title={`How the ${pasted ? 'text' : 'file'} is read`} fields={begun} filled={filled} />
        <details class="run-more" open={'seed' in errors}>
          <summary>Seed</summary>
          <div class="field">
            <label for="run-seed">seed</label>
            <input
              id="run-seed"
              name="seed"
              type="number"
              min={0}
              max={2_147_483_647}
              step={1}
              value={values.seed ?? '0'}
            />
            <p class="meta">rules all randomness; the same seed gives the same result</p>
            <Wrong of="seed" errors={errors} />
          </div>
        </details>
        <div class="row">
          <button class="button primary" type="submit">
            {posted ? 'Run' : 'Run …'}
          </button>
        </div>
      </form>
    </run-panel>
  );
}

function Group({ title, fields, filled }: { title: string; fields: readonly Field[]; filled: Filled }) {
  if (fields.length === 0) return null;
  const touched = fields.some(
    ({ input }) => Object.hasOwn(filled.errors, input) || Object.hasOwn(filled.values, input),
  );
  return (
    <details class="run-more" open={touched}>
      <summary>{title}</summary>
      {fields.map((field) => (
        <FormField field={field} filled={filled} />
      ))}
    </details>
  );
}

/** "maxIterations" as people read it: "max iterations". */
function spoken(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function Wrong({ of, errors }: { of: string; errors: Readonly<Record<string, string>> }) {
  return Object.hasOwn(errors, of) ? (
    <p class="error" id={`run-${of}-wrong`}>
      {errors[of]}
    </p>
  ) : null;
}

function FormField({ field, filled: { values, errors } }: { field: Field; filled: Filled }) {
  const { input, name, description } = field;
  const id = `run-${input}`;
  const value = Object.hasOwn(values, input) ? values[input] : field.value;
  const invalid = Object.hasOwn(errors, input);
  const common = {
    id,
    name: input,
    'aria-describedby': invalid ? `${id}-wrong ${id}-help` : `${id}-help`,
    'aria-invalid': invalid ? 'true' : undefined,
  };
  return (
    <div class="field">
      <label for={id}>{spoken(name)}</label>
      {field.kind === 'switch' ? (
        <>
          <input type="hidden" name={input} value="false" />
          <input {...common} type="checkbox" value="true" checked={value === 'true'} />
        </>
      ) : field.kind === 'choice' ? (
        <select {...common}>
          {field.value === '' && <option value="">as it is</option>}
          {field.choices.map((choice) => (
            <option value={choice} selected={choice === value}>
              {choice}
            </option>
          ))}
        </select>
      ) : field.kind === 'number' ? (
        <input {...common} type="number" min={field.min} max={field.max} step={field.step} value={value} />
      ) : (
        <input {...common} type="text" value={value} maxlength={4000} />
      )}
      <p class="meta" id={`${id}-help`}>
        {description}
      </p>
      <Wrong of={input} errors={errors} />
    </div>
  );
}
