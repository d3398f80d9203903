/** @file <color-scheme>: a button between light and dark, which forgets a choice that is the system's own. */

import { remember } from './remembering.ts';

const dark = matchMedia('(prefers-color-scheme: dark)');
const systems = () => (dark.matches ? 'dark' : 'light');

customElements.define(
  'color-scheme',
  class extends HTMLElement {
    connectedCallback() {
      const root = document.documentElement;
      const button = document.createElement('button');
      button.type = 'button';
      const shown = () => root.dataset.scheme ?? systems();
      const name = () => {
        const says = shown() === 'dark' ? 'Use light colours' : 'Use dark colours';
        button.ariaLabel = says;
        button.title = says;
      };
      button.addEventListener('click', () => {
        const wanted = shown() === 'dark' ? 'light' : 'dark';
        if (wanted === systems()) delete root.dataset.scheme;
        else root.dataset.scheme = wanted;
        remember('color-scheme', root.dataset.scheme);
        name();
      });
      dark.addEventListener('change', name);
      name();
      this.replaceChildren(button);
    }
  },
);
