/** @file list and show: the catalogue and the cards of its methods. */

import type { ZodType } from 'zod';
import { catalogue, find, paperOf } from '../catalogue.ts';
import { reportedInWords } from '../core/claim.ts';
import type { Block } from '../core/report.ts';
import { packageLedger, verdictInWords } from '../ledger.ts';
import { papers } from '../papers.ts';
import { flagOf } from './flag.ts';
import { print } from './render.ts';

export async function list({ json }: { json?: true }): Promise<void> {
  const verdicts = new Map((await packageLedger()).map((entry) => [entry.method, verdictInWords(entry)]));
  const seeds = papers.map(({ number, id, name, family, unit, summary }) => ({
    number,
    id,
    name,
    family,
    unit,
    state: catalogue.some((entry) => entry.id === id) ? 'implemented' : 'planned',
    verdict: verdicts.get(id),
    summary,
  }));
  const others = [];
  for (const { id, family, load } of catalogue.filter((entry) => !paperOf(entry.id))) {
    const { name, unit, summary } = await load();
    others.push({ id, name, family, unit, state: 'implemented', summary });
  }
  if (json) {
    process.stdout.write(`${JSON.stringify({ systems: seeds, baselines: others }, null, 1)}\n`);
    return;
  }
  const done = seeds.filter(({ state }) => state === 'implemented').length;
  print({
    title: `${done} of the ${seeds.length} systems of the seed page are implemented, with ${others.length} baselines`,
    blocks: [
      {
        kind: 'table',
        columns: ['no.', 'method', 'family', 'scores', 'state', 'claim', 'what it does'],
        rows: seeds.map((s) => [String(s.number), s.id, s.family, s.unit, s.state, s.verdict ?? '', s.summary]),
      },
      {
        kind: 'table',
        columns: ['baseline', 'family', 'scores', 'what it does'],
        rows: others.map((o) => [o.id, o.family, o.unit, o.summary]),
      },
    ],
  });
}

export async function show(id: string, { json }: { json?: true }): Promise<void> {
  const paper = paperOf(id);
  const entry = catalogue.find((candidate) => candidate.id === id);
  if (!entry && paper) {
    if (json) process.stdout.write(`${JSON.stringify({ ...paper, state: 'planned' }, null, 1)}\n`);
    else
      print({
        title: `${paper.name} (planned, not implemented yet)`,
        blocks: [paperBlock(paper), { kind: 'text', text: paper.summary }],
      });
    return;
  }
  const method = await find(id).load();
  const claim = await entry!.claim?.();
  const evidence = (await packageLedger()).find((candidate) => candidate.method === id);
  const parameters = (Object.entries(method.params.shape) as [string, ZodType][]).map(([name, schema]) => ({
    name,
    flag: flagOf(name),
    default: schema.safeParse(undefined).data as unknown,
    description: schema.description ?? '',
  }));
  const { name, source, summary, unit, subject, formula, cost } = method;
  if (json) {
    const card = { id, name, source, summary, unit, subject: subject.kind, formula, cost, parameters, paper };
    const { headline, setting } = claim ?? {};
    process.stdout.write(`${JSON.stringify({ ...card, claim: claim && { headline, setting, evidence } }, null, 1)}\n`);
    return;
  }
  const blocks: Block[] = [
    { kind: 'text', text: summary },
    paper ? paperBlock(paper) : { kind: 'text', text: `Source: ${source}` },
    {
      kind: 'table',
      columns: ['', ''],
      rows: [
        ['scores', unit],
        ['subject', `${subject.kind}: ${subject.accepts}`],
        ['formula', formula],
        ['cost', cost],
      ],
    },
    {
      kind: 'table',
      columns: ['parameter', 'default', 'meaning'],
      rows: parameters.map((p) => [
        p.flag,
        Array.isArray(p.default) ? p.default.join(',') : String(p.default ?? ''),
        p.description,
      ]),
    },
  ];
  if (claim) {
    blocks.push({ kind: 'text', text: `Claim: ${claim.headline}` });
    blocks.push(
      evidence
        ? {
            kind: 'table',
            columns: ['part', 'role', 'mean', 'verdict', 'the paper’s'],
            rows: evidence.parts.map((p) => [
              p.says,
              p.role,
              Number(p.mean.toPrecision(3)),
              p.verdict,
              reportedInWords(p),
            ]),
          }
        : { kind: 'text', text: `Not verified yet: salience verify ${id}` },
    );
  }
  print({ title: `${name} (${id})`, blocks });
}

function paperBlock({
  title,
  year,
  arxiv,
  authors,
  reconstruction,
  code,
}: NonNullable<ReturnType<typeof paperOf>>): Block {
  const facts = [`${title}, ${year}`];
  if (arxiv) facts.push(`arXiv:${arxiv}, ${authors} author${authors === 1 ? '' : 's'}`);
  if (code) facts.push(`official code: ${code} on GitHub`);
  if (reconstruction)
    facts.push(
      `${reconstruction === 'whole' ? 'A' : 'In part a'} reconstruction: no code and no formulas could be had`,
    );
  return { kind: 'text', text: facts.join('\n') };
}
