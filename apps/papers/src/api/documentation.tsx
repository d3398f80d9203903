/** @file The documentation page, made from the OpenAPI document alone. */

import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppEnv, Asked } from '../pages/context.ts';
import { DataTable } from '../pages/data-table.tsx';
import { page } from '../pages/layout.tsx';

export type ApiDocument = ReturnType<OpenAPIHono<AppEnv>['getOpenAPI31Document']>;
type Schema = NonNullable<NonNullable<ApiDocument['components']>['schemas']>[string];
type PathItem = NonNullable<ApiDocument['paths']>[string];
type Operation = NonNullable<PathItem['get']>;

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Every operation of the document, in its order. */
export function operationsOf(document: ApiDocument): Listed[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ method: method.toUpperCase(), path, operation }] : [];
    }),
  );
}

const anchorOf = ({ method, path }: Listed) =>
  `${method}-${path}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

const schemaName = ($ref: string) => $ref.split('/').at(-1) ?? $ref;

/** What a value is, in words; named schemas link to their table. */
function TypeOf({ schema }: { schema: Schema | undefined }) {
  if (!schema) return <>anything</>;
  if ('$ref' in schema) {
    const name = schemaName(schema.$ref ?? '');
    return <a href={`#schema-${name}`}>{name}</a>;
  }
  const { type, items, enum: choices, anyOf, format, minimum, maximum, properties } = schema;
  if (choices) return <>{choices.map((choice) => JSON.stringify(choice)).join(' or ')}</>;
  if (anyOf) {
    return (
      <>
        {anyOf.map((one, i) => (
          <>
            {i > 0 && ' or '}
            <TypeOf schema={one} />
          </>
        ))}
      </>
    );
  }
  if (type === 'array') {
    return (
      <>
        list of <TypeOf schema={items} />
      </>
    );
  }
  if (type === 'object' && properties && Object.keys(properties).length > 0) {
    return <>{`object of ${Object.keys(properties).join(', ')}`}</>;
  }
  const shown = (bound: number | undefined) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  const bounds = [
    ...(shown(minimum) ? [`at least ${minimum}`] : []),
    ...(shown(maximum) ? [`at most ${maximum}`] : []),
  ].join(', ');
  const kind = Array.isArray(type) ? type.join(' or ') : (type ?? 'anything');
  return <>{[format ? `${kind} (${format})` : kind, bounds].filter(Boolean).join(', ')}</>;
}

function Fields({ schema, of }: { schema: Schema; of: string }) {
  if ('$ref' in schema || !schema.properties) {
    return (
      <p>
        <TypeOf schema={schema} />
      </p>
    );
  }
  const required = new Set(schema.required);
  return (
    <DataTable label={`Fields of ${of}`} columns={['Field', 'Type', 'What it is']}>
      {Object.entries(schema.properties).map(([name, property]) => (
        <tr>
          <th scope="row">
            <code>{name}</code>
            {!required.has(name) && <span class="muted"> (optional)</span>}
          </th>
          <td>
            <TypeOf schema={property} />
          </td>
          <td>{property.description}</td>
        </tr>
      ))}
    </DataTable>
  );
}

function Parameters({ operation, of }: { operation: Operation; of: string }) {
  const parameters = (operation.parameters ?? []).flatMap((one) => ('$ref' in one ? [] : [one]));
  if (parameters.length === 0) return null;
  return (
    <DataTable label={`Parameters of ${of}`} columns={['Parameter', 'Type', 'What it does']}>
      {parameters.map(({ name, in: place, required, description, schema }) => (
        <tr>
          <th scope="row">
            <code>{place === 'path' ? `{${name}}` : name}</code>
            {required && place !== 'path' && <span class="muted"> (needed)</span>}
          </th>
          <td>
            <TypeOf schema={schema} />
          </td>
          <td>
            {description}
            {schema &&
              'default' in schema &&
              schema.default !== undefined &&
              schema.default !== '' &&
              ` Default ${schema.default}.`}
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function OperationCard({ listed }: { listed: Listed }) {
  const { method, path, operation } = listed;
  const body = operation.requestBody && !('$ref' in operation.requestBody) ? operation.requestBody : undefined;
  const sent = body?.content['application/json']?.schema;
  return (
    <section class="card" id={anchorOf(listed)}>
      <h3>
        <code>
          {method} {path}
        </code>
      </h3>
      <p>
        {operation.summary}.{operation.security && operation.security.length > 0 && ' Needs a key.'}
      </p>
      {operation.description && <p>{operation.description}</p>}
      <Parameters operation={operation} of={`${method} ${path}`} />
      {sent && (
        <>
          <h4>Body</h4>
          <Fields schema={sent} of={`the body of ${method} ${path}`} />
        </>
      )}
      <h4>Answers</h4>
      <ul>
        {Object.entries((operation.responses ?? {}) as Record<string, Responded>).map(([status, response]) => (
          <li>
            <code>{status}</code> {response.description}
            {Object.values(response.content ?? {}).map(({ schema }) => (
              <>
                {': '}
                <TypeOf schema={schema} />
              </>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Responded {
  readonly description: string;
  readonly content?: Readonly<Record<string, { schema?: Schema }>>;
}

/** Answers with the documentation page of a document. */
export function documentationPage(c: Asked, document: ApiDocument, url: string) {
  const operations = operationsOf(document);
  const tags = document.tags ?? [];
  const schemas = Object.entries(document.components?.schemas ?? {});
  return page(
    c,
    { title: 'API · Daily Papers', description: document.info.description },
    <>
      <h1>API</h1>
      <p>{document.info.description}</p>
      <ul>
        <li>
          The same as an <a href="/api/openapi.json">OpenAPI 3.1 document</a>.
        </li>
        <li>
          Clients of the original service work with the base URL <code>{url}</code>; for huggingface_hub set{' '}
          <code>HF_ENDPOINT={url}</code>.
        </li>
        <li>
          Reading needs no key. What writes or computes does: make one on <a href="/you">your page</a> and send it as{' '}
          <code>Authorization: Bearer …</code>.
        </li>
        <li>
          One call too many is answered with 429; <code>RateLimit</code> and <code>Retry-After</code> say in how many
          seconds the next is welcome.
        </li>
        <li>
          Answers carry an <code>ETag</code>; send it back as <code>If-None-Match</code> and nothing new costs nothing.
        </li>
        <li>
          Agents reach the same over the Model Context Protocol at <code>{url}/mcp</code> (streamable HTTP, without
          sessions).
        </li>
      </ul>
      <pre>
        <code>{`curl '${url}/api/daily_papers?limit=5'\ncurl '${url}/api/papers/search?q=importance+scores'`}</code>
      </pre>
      <nav aria-label="Operations">
        <ul>
          {operations.map((listed) => (
            <li>
              <a href={`#${anchorOf(listed)}`}>
                <code>
                  {listed.method} {listed.path}
                </code>
              </a>{' '}
              <span class="muted">{listed.operation.summary}</span>
            </li>
          ))}
        </ul>
      </nav>
      {tags.map(({ name, description }) => (
        <>
          <h2>{name}</h2>
          {description && <p>{description}</p>}
          {operations
            .filter(({ operation }) => operation.tags?.includes(name))
            .map((listed) => (
              <OperationCard listed={listed} />
            ))}
        </>
      ))}
      <h2>What answers are made of</h2>
      {schemas.map(([name, schema]) => (
        <section class="card" id={`schema-${name}`}>
          <h3>{name}</h3>
          <Fields schema={schema} of={name} />
        </section>
      ))}
    </>,
  );
}
