/** @file <keyboard-help>: a button, and the dialog that lists the keys and can turn them off. */

import { remember, remembered } from './remembering.ts';

const keys = [
  ['j', 'next paper'],
  ['k', 'the paper before'],
  ['o', 'open the paper'],
  ['/', 'search'],
  ['[', 'the day, week, month or page before'],
  [']', 'the one after'],
  ['g t', 'today'],
  ['g r', 'trending'],
  ['g p', 'topics'],
  ['g m', 'methods'],
  ['g c', 'claims'],
  ['?', 'this list'],
] as const;

/** An element with these children. */
function make<Name extends keyof HTMLElementTagNameMap>(name: Name, ...children: (Node | string)[]) {
  const element = document.createElement(name);
  element.append(...children);
  return element;
}

customElements.define(
  'keyboard-help',
  class extends HTMLElement {
    connectedCallback() {
      const opener = make('button', 'Keyboard');
      opener.type = 'button';
      opener.className = 'plain';
      opener.dataset.key = '?';
      const list = make('dl');
      for (const [pressed, does] of keys) {
        const names = pressed.split(' ').map((key) => make('kbd', key));
        list.append(make('div', make('dt', ...names), make('dd', does)));
      }
      const on = make('input');
      on.type = 'checkbox';
      on.checked = remembered('shortcuts') !== 'off';
      on.addEventListener('change', () => remember('shortcuts', on.checked ? undefined : 'off'));
      const close = make('button', 'Close');
      close.className = 'button';
      const form = make('form', make('label', on, ' Keys are on'), close);
      form.method = 'dialog';
      form.className = 'row';
      const title = make('h2', 'Keyboard');
      title.id = 'keyboard-title';
      const dialog = make('dialog', title, list, form);
      dialog.setAttribute('aria-labelledby', title.id);
      dialog.addEventListener('click', (event) => {
        if (event.target === dialog) dialog.close();
      });
      opener.addEventListener('click', () => dialog.showModal());
      this.replaceChildren(opener, dialog);
    }
  },
);
