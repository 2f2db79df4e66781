"""Commands that say their help in the language of the run, take --lang, and show that they work."""

import importlib
import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from gradtheory.cli.progress import working
from gradtheory.cli.words import language, said
from gradtheory.document.messages import LANGUAGES
from gradtheory.document.wrapping import columns, filled, padded
from gradtheory.errors import nearest

_WIDEST_TERM = 30  # columns, as of Click's own
_EXTRAS = re.compile(r"(?P<help>.*?)(?:  \[(?P<extras>.+)\])?", re.DOTALL)  # as "The bias.  [default: 0; required]"


class Choice(click.Choice):  # type: ignore[type-arg]  # of words
    """One of a few words, the nearest of which is named."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is said of another word."""
        message = super().get_invalid_choice_message(value, ctx)
        near = nearest(str(value), tuple(map(str, self.choices)))
        return message if near is None else f"{message.rstrip('.')}; the nearest is {near!r}."


_LANG = click.Option(
    ["--lang"],
    type=Choice(LANGUAGES),
    metavar="LANG",
    expose_value=False,  # `listen` has read it
    help="The language, en or zh; that of the locale unless given.",
)


class Formatter(click.HelpFormatter):
    """Click's layout of help, with its words looked up, in columns that Chinese characters fill."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line that shows how a command is called."""
        words = said("Usage:") + (" " if language() == "en" else "")
        super().write_usage(prog, " ".join(map(said, args.split())), words if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Write the heading of a list."""
        colon = ":" if language() == "en" else "："
        self.write(f"{'':>{self.current_indent}}{said(heading)}{colon}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        if language() == "en":
            super().write_text(text)
            return
        indent = " " * self.current_indent
        paragraphs = (filled(said(part), self.width - len(indent)) for part in text.split("\n\n"))
        self.write("\n\n".join(re.sub("^", indent, part, flags=re.MULTILINE) for part in paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = _WIDEST_TERM, col_spacing: int = 2) -> None:
        """Write terms, each with what it means."""
        if language() == "en":
            super().write_dl(rows, col_max, col_spacing)
            return
        terms = dict(rows)
        left = min(max(map(columns, terms)), col_max) + col_spacing
        indent = " " * self.current_indent
        for term, meaning in terms.items():
            lines = filled(_with_extras(meaning), max(self.width - left - len(indent), 10)).split("\n")
            first = (
                [term, *lines] if columns(term) > left - col_spacing else [padded(term, left) + lines[0], *lines[1:]]
            )
            self.write(f"{indent}{first[0]}\n")
            self.write("".join(f"{indent}{' ' * left}{line}\n" for line in first[1:]))


class Name(click.ParamType[str]):
    """A name, one of those that completion offers; the library says which are right."""

    name = "text"

    def __init__(self, offered: Callable[[], tuple[str, ...]]) -> None:
        self.offered = offered

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin with what is typed."""
        return [CompletionItem(name) for name in self.offered() if name.startswith(incomplete)]


class Context(click.Context):
    """What a command is called with."""

    formatter_class = Formatter


class Command(click.Command):
    """A command that takes --lang."""

    context_class = Context

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options and arguments: --lang, and last of all --help, beside its own."""
        *own, show_help = super().get_params(ctx)
        return [*own, _LANG, show_help]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; of a mistake it is known in which command it was made, which Click leaves out."""
        ctx.allow_extra_args = True  # of which we say ourselves what they may be
        try:
            self._require_two_dashes(ctx, args)
            self._require_once(ctx, args)
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            if isinstance(error, click.NoSuchOption) and error.option_name[1:2].isdigit():
                message = (
                    f"{error.option_name} is read as an option: several numbers have commas between them, such as -3,-3"
                )
                raise click.UsageError(message, error.ctx) from None
            if isinstance(error, click.NoSuchOption):
                near = _near_options(error.option_name, error.ctx.command.get_params(error.ctx))
                raise click.NoSuchOption(error.option_name, possibilities=near, ctx=error.ctx) from None
            raise
        if rest and not isinstance(self, click.Group) and not ctx.resilient_parsing:
            raise click.UsageError(_of_extra(ctx, rest), ctx)
        return rest

    def _require_two_dashes(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Refuse -weight, which Click would read as -w eight."""
        long = {option for each in self.get_params(ctx) for option in each.opts if option.startswith("--")}
        if slip := next((word for word in args if f"-{word}" in long), None):
            raise click.NoSuchOption(slip, possibilities=[f"-{slip}"], ctx=ctx)

    def _require_once(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Refuse an option that is given again, of which Click would take the last value and say nothing."""
        if ctx.resilient_parsing:
            return
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        for each in given:
            if isinstance(each, click.Option) and not (each.multiple or each.is_flag) and given.count(each) > 1:
                message = f"{each.opts[0]} is given {given.count(each)} times: give one value"
                if "," in (each.metavar or ""):
                    message = f"{each.opts[0]} is given {given.count(each)} times: write several numbers as in -3,-3"
                raise click.UsageError(message, ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence of the help, whole."""
        sentence = " ".join((self.help or "").split("\n\n", maxsplit=1)[0].split())
        return said(sentence).rstrip("。").removesuffix(".")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and show so where it takes long."""
        with working():
            return super().invoke(ctx)


class _Commands(MutableMapping[str, click.Command]):
    """Commands by name, of which a module is imported when one of its commands is asked for."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded and name in self._modules:
            importlib.import_module(f"gradtheory.cli.{self._modules[name]}")
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class Group(Command, click.Group):
    """Commands under one name, and under headings, each with the module of the command line that holds it."""

    command_class = Command

    def __init__(self, *arguments: Any, sections: Mapping[str, Mapping[str, str]] | None = None, **more: Any) -> None:
        if sections is not None:
            more["commands"] = _Commands(ChainMap(*map(dict, sections.values())))
        super().__init__(*arguments, **more)
        self.sections = sections

    def invoke(self, ctx: click.Context) -> Any:
        """Run one of the commands."""
        return click.Group.invoke(self, ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for, or name the one that the name of a function in Python speaks of."""
        meant = [word for word in re.split("[_-]", args[0]) if word in self.commands]
        if meant and args[0] not in self.commands:
            message = f"No such command {args[0]!r}. Did you mean {meant[0]!r}?"
            raise click.exceptions.NoSuchCommand(args[0], message, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with a sentence."""
        for title, names in (self.sections or {"Commands": dict.fromkeys(self.list_commands(ctx), "")}).items():
            commands = {name: self.get_command(ctx, name) for name in names}
            with formatter.section(title):
                formatter.write_dl([(name, each.get_short_help_str()) for name, each in commands.items() if each])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments before the command: with a language and nothing else, help is asked for."""
        says_no_more = (len(args) < 3 and args[0:1] == ["--lang"]) or (len(args) == 1 and args[0].startswith("--lang="))
        return super().parse_args(ctx, [] if says_no_more else args)


def example(ctx: click.Context | None) -> str:
    """Return an example of a command."""
    examples = re.findall(r"Example: (.*?)(?:\n\n|$)", (ctx and ctx.command.help) or "", flags=re.DOTALL)
    return " ".join(examples[0].split()) if examples else "gradtheory --help"


def _near_options(name: str, parameters: Iterable[click.Parameter]) -> list[str]:
    """Return the long option that is spelt most like another, or none; the two dashes of all do not count."""
    offered = {option.lstrip("-"): option for each in parameters for option in each.opts if option.startswith("--")}
    word = name.lstrip("-")
    near = nearest(word, tuple(offered)) if len(word) > 1 else None
    return [] if near is None else [offered[near]]


def _of_extra(ctx: click.Context, words: Sequence[str]) -> str:
    """Return what is said of arguments too many: which options take them, or else an example."""
    named = ", ".join(map(repr, words))
    many = "s" if len(words) > 1 else ""
    meant = list(filter(None, (_option_of(word, ctx.command.params) for word in words)))
    if meant:
        return f"unexpected argument{many} {named}: write {' '.join(meant)}"
    return f"unexpected argument{many} {named}, unlike: {example(ctx)}"


def _option_of(word: str, parameters: Sequence[click.Parameter]) -> str | None:
    """Return the option with which a command takes a word, or one that is spelt like it; None if there is none."""
    offered = {option.opts[0]: _words(option.type) for option in parameters if isinstance(option, click.Option)}
    exact = next((f"{option} {word}" for option, names in offered.items() if word in names), None)
    near = ((option, nearest(word, names)) for option, names in offered.items())
    return exact or next((f"{option} {name}" for option, name in near if name), None)


def _words(kind: click.ParamType[Any]) -> tuple[str, ...]:
    """Return the words that an option may take, as far as they are known."""
    if isinstance(kind, click.Choice):
        return tuple(map(str, kind.choices))
    return kind.offered() if isinstance(kind, Name) else ()


def _with_extras(meaning: str) -> str:
    parts = _EXTRAS.fullmatch(meaning)
    if parts is None or parts["extras"] is None:
        return said(meaning)
    return f"{said(parts['help'])} [{'；'.join(map(said, parts['extras'].split('; ')))}]"
