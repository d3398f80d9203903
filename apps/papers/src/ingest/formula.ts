/** @file Formulas of TeX as Unicode, where a line of text can say the same; else they stay TeX. */

const symbols: Readonly<Record<string, string>> = {
  alpha: 'α',
  beta: 'β',
  gamma: 'γ',
  delta: 'δ',
  epsilon: 'ϵ',
  varepsilon: 'ε',
  zeta: 'ζ',
  eta: 'η',
  theta: 'θ',
  vartheta: 'ϑ',
  iota: 'ι',
  kappa: 'κ',
  lambda: 'λ',
  mu: 'μ',
  nu: 'ν',
  xi: 'ξ',
  pi: 'π',
  rho: 'ρ',
  sigma: 'σ',
  tau: 'τ',
  upsilon: 'υ',
  phi: 'ϕ',
  varphi: 'φ',
  chi: 'χ',
  psi: 'ψ',
  omega: 'ω',
  Gamma: 'Γ',
  Delta: 'Δ',
  Theta: 'Θ',
  Lambda: 'Λ',
  Xi: 'Ξ',
  Pi: 'Π',
  Sigma: 'Σ',
  Upsilon: 'Υ',
  Phi: 'Φ',
  Psi: 'Ψ',
  Omega: 'Ω',
  ell: 'ℓ',
  hbar: 'ℏ',
  infty: '∞',
  partial: '∂',
  nabla: '∇',
  emptyset: '∅',
  forall: '∀',
  exists: '∃',
  top: '⊤',
  bot: '⊥',
  prime: '′',
  dagger: '†',
  times: '×',
  cdot: '·',
  pm: '±',
  mp: '∓',
  div: '÷',
  circ: '∘',
  ast: '∗',
  star: '⋆',
  odot: '⊙',
  oplus: '⊕',
  otimes: '⊗',
  le: '≤',
  leq: '≤',
  ge: '≥',
  geq: '≥',
  ll: '≪',
  gg: '≫',
  ne: '≠',
  neq: '≠',
  approx: '≈',
  sim: '∼',
  simeq: '≃',
  cong: '≅',
  equiv: '≡',
  propto: '∝',
  perp: '⊥',
  mid: '|',
  parallel: '∥',
  in: '∈',
  notin: '∉',
  subset: '⊂',
  subseteq: '⊆',
  supset: '⊃',
  supseteq: '⊇',
  cup: '∪',
  cap: '∩',
  setminus: '∖',
  wedge: '∧',
  vee: '∨',
  neg: '¬',
  to: '→',
  rightarrow: '→',
  leftarrow: '←',
  leftrightarrow: '↔',
  Rightarrow: '⇒',
  Leftrightarrow: '⇔',
  mapsto: '↦',
  sum: '∑',
  prod: '∏',
  int: '∫',
  ldots: '…',
  dots: '…',
  cdots: '⋯',
  langle: '⟨',
  rangle: '⟩',
  lfloor: '⌊',
  rfloor: '⌋',
  lceil: '⌈',
  rceil: '⌉',
  lVert: '‖',
  rVert: '‖',
  quad: ' ',
  qquad: ' ',
  // They say how large or how far apart things are.
  left: '',
  right: '',
  big: '',
  Big: '',
  displaystyle: '',
  limits: '',
};
/** Functions that are written as words. */
const words =
  /^(?:log|ln|lg|exp|min|max|arg|argmin|argmax|sup|inf|lim|sin|cos|tan|tanh|sinh|cosh|det|dim|ker|Pr|gcd|deg)$/;
/** Commands that choose letters of the same reading. */
const lettering =
  /^(?:mathrm|mathit|mathbf|mathsf|mathtt|mathcal|boldsymbol|bm|text|textrm|textit|textbf|texttt|textsc|mbox|operatorname)$/;
const blackboard: Readonly<Record<string, string>> = { C: 'ℂ', E: '𝔼', N: 'ℕ', P: 'ℙ', Q: 'ℚ', R: 'ℝ', Z: 'ℤ' };
/** `\,` and the like, and characters that TeX wants a backslash before. */
const signs: Readonly<Record<string, string>> = {
  ',': ' ',
  ';': ' ',
  ':': ' ',
  ' ': ' ',
  '!': '',
  '|': '‖',
  ...Object.fromEntries([...'{}%&#$_'].map((sign) => [sign, sign])),
};

const pairs = (from: string, to: string): ReadonlyMap<string, string> => {
  const raised = [...to];
  return new Map([...from].map((character, i) => [character, raised[i]]));
};
const superscripts = pairs(
  '0123456789+-=()abcdefghijklmnoprstuvwxyzTβγδθ*′',
  '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᵝᵞᵟᶿ*′',
);
const subscripts = pairs('0123456789+-=()aehijklmnoprstuvxβγρχ', '₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵪ');

/** Deeper braces than anybody's formula has. */
const deepest = 16;

/** Thrown where a formula holds what a line of text cannot say. */
const unsayable = new Error('no line of text says this');

/**
 * A formula without its dollar signs as text: `\ell_1` as ℓ₁, `O(n^2)` as O(n²). Where it holds a command that is not known here it
 * stays the TeX that it is; an index for which there are no small letters keeps its sign: ℓ_∞.
 */
export function fromFormula(tex: string): string {
  try {
    return readable(tex, 0).replace(/\s+/g, ' ').trim();
  } catch (error) {
    if (error !== unsayable) throw error;
    return tex.trim();
  }
}

function readable(tex: string, depth: number): string {
  if (depth > deepest) throw unsayable;
  let made = '';
  let at = 0;
  const space = () => {
    while (/\s/.test(tex[at] ?? '')) at++;
  };
  /** The group, command or character that follows. */
  const next = (): string => {
    if (at >= tex.length) throw unsayable;
    if (tex[at] === '{') {
      const from = ++at;
      for (let open = 1; open > 0; at++) {
        if (at >= tex.length) throw unsayable;
        if (tex[at] === '\\') at++;
        else if (tex[at] === '{') open++;
        else if (tex[at] === '}') open--;
      }
      return readable(tex.slice(from, at - 1), depth + 1);
    }
    if (tex[at] === '}') throw unsayable;
    if (tex[at] === '\\') return command();
    const [character] = tex.slice(at, at + 2);
    at += character.length;
    return character === '~' ? ' ' : character === "'" ? '′' : character;
  };
  const command = (): string => {
    const [name] = /^[a-zA-Z]+/.exec(tex.slice(at + 1, at + 40)) ?? [];
    if (name === undefined) {
      const sign = tex[at + 1];
      if (!(sign in signs)) throw unsayable;
      at += 2;
      return signs[sign];
    }
    at += 1 + name.length;
    if (words.test(name)) {
      // Words are set apart from letters and digits at both sides.
      const apart = /[\p{L}\p{N}]$/u.test(made.slice(-2)) ? ' ' : '';
      return `${apart}${name}${/[\p{L}\p{N}{\\]/u.test(tex[at] ?? '') ? ' ' : ''}`;
    }
    if (Object.hasOwn(symbols, name)) {
      // A space that only ends the command is none: d\times d.
      if (!/\s$/.test(made.slice(-1)) && /^\s+[a-zA-Z]/.test(tex.slice(at, at + 8))) space();
      return symbols[name];
    }
    space();
    if (lettering.test(name)) return next();
    if (name === 'mathbb') {
      const letter = next();
      if (!Object.hasOwn(blackboard, letter)) throw unsayable;
      return blackboard[letter];
    }
    if (name === 'sqrt' && tex[at] !== '[') return `√${simple(next())}`;
    if (name === 'frac' || name === 'tfrac' || name === 'dfrac') {
      const above = simple(next());
      space();
      return `${above}/${simple(next())}`;
    }
    throw unsayable;
  };
  /** Small or large, the argument of ^ or _. */
  const script = (sign: string): string => {
    at++;
    space();
    const small = sign === '^' ? superscripts : subscripts;
    const said = next().trim();
    if (said === '') throw unsayable;
    const characters = [...said];
    if (characters.every((character) => small.has(character))) return characters.map((c) => small.get(c)).join('');
    return characters.length === 1 ? `${sign}${said}` : `${sign}{${said}}`;
  };
  while (at < tex.length) made += tex[at] === '^' || tex[at] === '_' ? script(tex[at]) : next();
  return made;
}

/** One letter or number, beside which a sign needs no parentheses. */
function simple(said: string): string {
  if (!/^(?:\p{L}|\p{N}+)$/u.test(said.trim())) throw unsayable;
  return said.trim();
}
