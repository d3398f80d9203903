/** @file The mails: an issue, a confirmation, a sign-in; each as HTML and as plain text. */

import type { PropsWithChildren } from 'hono/jsx';
import { oneLine } from '../papers/facts.ts';
import type { PaperSummary } from '../papers/lists.ts';
import type { Day, Site } from '../site.ts';
import type { Mail } from './mailer.ts';

const writtenDay = new Intl.DateTimeFormat('en-US', { dateStyle: 'long', timeZone: 'UTC' });

const column = 72;

/** The text in lines of at most 72 characters, as far as its words are not longer. */
function wrapped(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line.trim() !== '' && line.length + 1 + word.length > column) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line].join('\n');
}

/** Colours that hold on white and on black; programs that know the media query get better ones. */
const styles = `
  :root { color-scheme: light dark; supported-color-schemes: light dark; }
  @media (prefers-color-scheme: dark) {
    body { background: #16181c !important; color: #e6e4df !important; }
    a { color: #9cc3ff !important; }
    .button { background: #9cc3ff !important; color: #10131a !important; }
    .quiet { color: #a8a59e !important; }
    hr { border-color: #3a3d44 !important; }
  }`;
const body = 'margin:0;padding:24px 16px;font:16px/1.5 Georgia,serif;color:#1f1d1a;background:#ffffff';
const sans = 'font-family:system-ui,-apple-system,"Segoe UI",sans-serif';
const quiet = `${sans};font-size:13px;color:#66625b`;
const button = `${sans};display:inline-block;padding:10px 18px;border-radius:6px;background:#1d4f91;color:#ffffff;text-decoration:none`;
const rule = 'border:0;border-top:1px solid #dcd8d0;margin:24px 0';

function Frame({ title, children }: PropsWithChildren<{ title: string }>) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>{title}</title>
        <style dangerouslySetInnerHTML={{ __html: styles }} />
      </head>
      <body style={body}>
        <div style="max-width:600px;margin:0 auto">{children}</div>
      </body>
    </html>
  );
}

function written(html: unknown): string {
  return `<!doctype html>${String(html)}`;
}

/** The mail behind whose link a subscription, or a change of one, is confirmed. */
export function messageOfConfirmation({
  to,
  link,
  cadence,
  topics,
}: {
  readonly to: string;
  readonly link: string;
  readonly cadence: 'daily' | 'weekly';
  /** Names of the topics; all where empty. */
  readonly topics: readonly string[];
}): Mail {
  const what = `the ${cadence} papers${topics.length > 0 ? ` on ${topics.join(', ')}` : ''}`;
  const subject = 'Confirm your subscription to Daily Papers';
  const asked = `Somebody, probably you, asked that ${what} be sent to ${to}.`;
  const otherwise = 'The link is good for 48 hours. If it was not you, do nothing: no more mail will come.';
  return {
    to,
    subject,
    text: [wrapped(asked), 'To confirm, open this page and press its button:', link, wrapped(otherwise), ''].join(
      '\n\n',
    ),
    html: written(
      <Frame title={subject}>
        <p>{asked}</p>
        <p>
          <a class="button" style={button} href={link}>
            Confirm the subscription
          </a>
        </p>
        <p class="quiet" style={quiet}>
          {otherwise}
        </p>
      </Frame>,
    ),
  };
}

/** The mail with a link that signs somebody in. */
export function messageOfSignIn({ to, link, minutes }: { to: string; link: string; minutes: number }): Mail {
  const subject = 'Sign in to Daily Papers';
  const asked = `Somebody, most likely you, asked to sign in to Daily Papers at ${new URL(link).host} with this address.`;
  const otherwise = `The link works once, for ${minutes} minutes. If it was not you, do nothing: without it nobody gets in.`;
  return {
    to,
    subject,
    text: [wrapped(asked), 'This link signs you in:', link, wrapped(otherwise), ''].join('\n\n'),
    html: written(
      <Frame title={subject}>
        <p>{asked}</p>
        <p>
          <a class="button" style={button} href={link}>
            Sign in
          </a>
        </p>
        <p class="quiet" style={quiet}>
          {otherwise}
        </p>
      </Frame>,
    ),
  };
}

/** The facts under a title: "7 authors · 2 comments · implemented here". */
function factsOf({ authorCount, comments, implemented }: PaperSummary): string {
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
  return [
    counted(authorCount, 'author'),
    ...(comments > 0 ? [counted(comments, 'comment')] : []),
    ...(implemented ? ['can be run on its page'] : []),
  ].join(' · ');
}

/** The digest; where there is none, the start of the abstract. */
function gistOf({ digest, abstract }: PaperSummary): string {
  if (digest && digest.length > 0) return digest.map(({ text }) => text).join(' ');
  const words = abstract.split(/\s+/);
  return words.length > 60 ? `${words.slice(0, 60).join(' ')} …` : abstract;
}

/**
 * An issue, with the headers by which mail programs end the subscription (RFC 2369, RFC 8058).
 * @param unsubscribe the reader's link.
 */
export function messageOfIssue(
  site: Pick<Site, 'config'>,
  {
    to,
    unsubscribe,
    cadence,
    day,
    papers,
  }: {
    readonly to: string;
    readonly unsubscribe: string;
    readonly cadence: 'daily' | 'weekly';
    readonly day: Day;
    readonly papers: readonly PaperSummary[];
  },
): Mail {
  const { url } = site.config;
  const date = writtenDay.format(new Date(day));
  const when = cadence === 'daily' ? date : `the week to ${date}`;
  const [first, ...others] = papers;
  const rest = others.length === 0 ? '' : ` and ${others.length} more`;
  const subject = `${[...oneLine(first.title)].slice(0, 120).join('')}${rest}`;
  const heading = `Papers of ${when}`;
  const pageOf = ({ id }: PaperSummary) => `${url}/papers/${encodeURIComponent(id)}`;
  const why = `You get this because you subscribed to the ${cadence} papers.`;
  const host = new URL(url).hostname;
  return {
    to,
    subject,
    headers: {
      'List-Id': `Daily Papers <${cadence}.papers.${host}>`,
      'List-Unsubscribe': `<${unsubscribe}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'Auto-Submitted': 'auto-generated',
      Precedence: 'bulk',
    },
    text: [
      heading,
      ...papers.map((paper, at) =>
        [
          wrapped(`${at + 1}. ${paper.title}`),
          wrapped(factsOf(paper), '   '),
          ...(gistOf(paper) ? [wrapped(gistOf(paper), '   ')] : []),
          `   ${pageOf(paper)}`,
        ].join('\n'),
      ),
      '-- ',
      [wrapped(why), 'To change what you get:', `${url}/subscribe`, 'To unsubscribe:', unsubscribe, ''].join('\n'),
    ].join('\n\n'),
    html: written(
      <Frame title={heading}>
        <h1 style={`${sans};font-size:20px;margin:0 0 16px`}>{heading}</h1>
        {papers.map((paper) => (
          <div style="margin:0 0 24px">
            <h2 style={`${sans};font-size:17px;line-height:1.35;margin:0 0 4px`}>
              <a href={pageOf(paper)} style="color:#1d4f91">
                {paper.title}
              </a>
            </h2>
            <p class="quiet" style={`${quiet};margin:0 0 6px`}>
              {factsOf(paper)}
            </p>
            {gistOf(paper) && <p style="margin:0">{gistOf(paper)}</p>}
          </div>
        ))}
        <hr style={rule} />
        <p class="quiet" style={quiet}>
          {why} <a href={`${url}/subscribe`}>Change what you get</a> · <a href={unsubscribe}>Unsubscribe</a>
        </p>
      </Frame>,
    ),
  };
}
