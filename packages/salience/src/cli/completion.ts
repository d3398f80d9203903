/** @file Completion scripts for shells: the commands, their flags, and method names after --by. */

import type { Command } from 'commander';
import { catalogue } from '../catalogue.ts';
import { ParameterError } from '../core/errors.ts';

/**
 * The completion script of a shell.
 * @throws ParameterError for a shell other than bash, zsh and fish.
 */
export function completion(shell: string, program: Command): string {
  const commands = program.commands.map((command) => command.name()).join(' ');
  const methods = catalogue.map(({ id }) => id).join(' ');
  const flagsOf = (command: Command) => command.options.map(({ long }) => long).join(' ');
  const cases = program.commands.map((command) => `    ${command.name()}) words="${flagsOf(command)}" ;;`).join('\n');
  const bash = `_salience() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands}"
  elif [ "$before" = --by ] || [ "$before" = show ] || [ "$before" = verify ]; then words="${methods}"
  elif [ "\${word#-}" != "$word" ]; then case "\${COMP_WORDS[1]}" in
${cases}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _salience salience
`;
  switch (shell) {
    case 'bash':
      return bash;
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
    case 'fish':
      return [
        ...program.commands.map(
          (c) =>
            `complete -c salience -n __fish_use_subcommand -a ${c.name()} -d '${c.description().replaceAll("'", '')}'`,
        ),
        ...program.commands.flatMap((c) =>
          c.options.map(
            ({ long }) => `complete -c salience -n '__fish_seen_subcommand_from ${c.name()}' -l ${long!.slice(2)}`,
          ),
        ),
        `complete -c salience -n '__fish_seen_subcommand_from score keep' -l by -x -a '${methods}'`,
        `complete -c salience -n '__fish_seen_subcommand_from show verify' -a '${methods}'`,
        '',
      ].join('\n');
    default:
      throw new ParameterError(`there is no completion for ${shell}; there is for bash, zsh and fish`);
  }
}
