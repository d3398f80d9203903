/** @file The commands and their flags. The flags of a method and of its subject come from their schemas. */

import { Command, Option } from 'commander';
import type { ZodType } from 'zod';
import type { AnyMethod } from '../catalogue.ts';
import type { Choosing } from './choosing.ts';
import { flagOf } from './flag.ts';
import { version } from './version.ts';

/** The program for these arguments: a method named by --by brings its own flags. */
export async function buildProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command('salience')
    .description('Says what matters, and keeps it: subject → method → scores → budget → selection → artefact.')
    .version(version())
    .exitOverride()
    .showHelpAfterError('(add --help for what may be given)')
    .addHelpText(
      'after',
      `
Examples:
  salience list
  salience keep article.txt --by lexrank --budget 5
  cat notes.md | salience keep - --by lexrank --budget "cost<=100, redundancy<=0.5, by score"
  salience score papers.jsonl --by semre-rank --budget 20 --json
  salience keep ./llama --by global-mp --budget 50% --out ./llama-half
  salience perplexity ./llama-half --text test.txt
  salience score people.csv --target ill --by shap --model forest --plot shap.svg
  salience keep digits.csv --target label --by gais --budget 10% --out small.csv
  salience verify lexrank
`,
    );
  program
    .command('list')
    .description('the methods: what is implemented, what is planned')
    .option('--json', 'as JSON')
    .action(async (options) => (await import('./listing.ts')).list(options));
  program
    .command('show <method>')
    .description('the card of a method: paper, unit, formula, parameters, cost, claim and latest verdict')
    .option('--json', 'as JSON')
    .action(async (id, options) => (await import('./listing.ts')).show(id, options));
  const method = await methodNamed(argv);
  choosing(
    program.command('score <paths...>').description('score the units of a subject; with a budget, those it keeps'),
    method,
  )
    .option('--budget <budget>', 'print only what this budget keeps')
    .option('--force', 'replace a picture that exists')
    .action(async (paths: string[], options: Choosing) => (await import('./choosing.ts')).scoreCommand(paths, options));
  choosing(program.command('keep <paths...>').description('keep what a budget allows, and write it'), method)
    .requiredOption(
      '--budget <budget>',
      'how much to keep: 30%, 5, mass=0.9, >=0.1, cost<=512, 2:4 [, per group] [, floor 2] [, redundancy<=0.7]',
    )
    .option('--out <path>', 'where to write what is kept')
    .option('--force', 'replace an output that exists')
    .action(async (paths: string[], options: Choosing) => (await import('./choosing.ts')).keepCommand(paths, options));
  program
    .command('verify [methods...]')
    .description('run the claims of these methods, or of all, and write claims.json and CLAIMS.md')
    .option('--out <folder>', 'folder of the ledger', '.')
    .option('--json', 'print the evidence as JSON')
    .option('--quiet', 'no progress')
    .option('--seed <n>', 'seed of the bootstrap', '0')
    .option('--threads <n>', 'worker threads')
    .addOption(
      new Option(
        '--restate',
        'run nothing: put today’s words of claims that have the same parts, rules and seeds into the ledger',
      ).conflicts(['json', 'seed', 'threads']),
    )
    .action(async (methods: string[], options) => (await import('./verifying.ts')).verifyCommand(methods, options));
  program
    .command('perplexity <model>')
    .description('how well a decoder in a folder predicts a text, in windows')
    .requiredOption('--text <file>', 'the text; - reads standard input')
    .option('--window <n>', 'tokens the model sees at once (default: all its positions)')
    .option('--stride <n>', 'how far each window starts after the one before (default: the window)')
    .option('--json', 'print JSON')
    .option('--quiet', 'no progress')
    .action(async (folder: string, flags) => (await import('./perplexity.ts')).perplexityCommand(folder, flags));
  program
    .command('completion <shell>')
    .description('print the completion script of bash, zsh or fish')
    .action(async (shell) => {
      process.stdout.write((await import('./completion.ts')).completion(shell, program));
    });
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** The flags that score and keep share, and those of the method and its subject. */
function choosing(command: Command, method: AnyMethod | undefined): Command {
  command
    .requiredOption('--by <method>', 'the method; with it, --help shows the method’s own flags')
    .option('--set <name=value...>', 'a parameter of the method')
    .option('--seed <n>', 'rules all randomness', '0')
    .option('--threads <n>', 'worker threads; the result does not depend on it')
    .option('--json', 'print JSON')
    .option('--plot <file>', 'write the method’s charts as a picture, .svg or .png')
    .option('--quiet', 'no progress and no remarks');
  if (method) {
    const { subject, id } = method;
    flags(command, subject.options.shape, `${subject.kind}: `);
    flags(command, method.params.shape, `${id}: `);
  }
  return command;
}

function flags(command: Command, shape: Readonly<Record<string, unknown>>, prefix: string): void {
  for (const [name, schema] of Object.entries(shape) as [string, ZodType][]) {
    const fallback = schema.safeParse(undefined).data as unknown;
    const shown =
      fallback === undefined || fallback === ''
        ? ''
        : ` (default: ${Array.isArray(fallback) ? fallback.join(',') : fallback})`;
    command.addOption(new Option(`${flagOf(name)} <value>`, `${prefix}${schema.description ?? name}${shown}`));
  }
}

/** The method that --by names, if it is one; wrong names are told by the command itself. */
async function methodNamed(argv: readonly string[]): Promise<AnyMethod | undefined> {
  if (argv[0] !== 'score' && argv[0] !== 'keep') return undefined;
  const at = argv.findIndex((word) => word === '--by' || word.startsWith('--by='));
  if (at < 0) return undefined;
  const id = argv[at].startsWith('--by=') ? argv[at].slice(5) : argv[at + 1];
  const { catalogue } = await import('../catalogue.ts');
  return catalogue.find((entry) => entry.id === id)?.load();
}
