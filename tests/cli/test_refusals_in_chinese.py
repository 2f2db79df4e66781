"""Under --lang zh every refusal is one line of Chinese, with exit code 2: Click's own, the commands' and the library's."""

import re

import pytest

from gradtheory.cli import main
from gradtheory.document.translation import refusal
from gradtheory.errors import InvalidArgument, MissingDependency, Undecided

_HAN = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH = re.compile(r"(?<![\w'/.*-])[a-z]{2,} [a-z]{2,}(?![\w'*(-])")
_QUOTED = re.compile(r"'[^']*'|gradtheory .*")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("derive widest sigmoid", "多余的参数 'widest', 'sigmoid'：请写 --topic widest --activation sigmoid"),
        ("depth tanh extra more", "多余的参数 'extra', 'more'，正确的例子：gradtheory depth sigmoid --digits 50"),
        ("derive --wrt w9", "wrt = 'w9': 层号必须在 1 到 3 之间，如 w1"),
        ("derive --letter x=x1", "letter = 'x=x1': 必须是一个字母，或一个希腊字母的名字，如 'theta'"),
        ("derive --wrt banana", "必须是权重、偏置或输入，如 w1、b2 或 x"),
        ("derive --depth L --wrt w1", "层数为 L 时，必须是 'all' 或不给出"),
        ("derive --topic dropout --activation tanh", "在 'dropout' 中用不到：请勿给出"),
        ("derive --topic initialisation --expr max(0,tanh(z)-2)", "导数不能几乎处处为 0"),
        (
            "derive --depth 1 --activation tanh --value w1=1000000 --value b1=0 --value x=1 --value y=0",
            "σ'(z_1) 太小，写不出来，但不为 0",
        ),
        (
            "derive --depth 1 --activation exponential --value w1=1000000 --value b1=0 --value x=1 --value y=0",
            "有一个数太大，写不出来：约为 2^1442696",
        ),
        ("set z*tanh(z -w 7", "不是名字；作为表达式，第 7 个字符处的括号没有闭合：'(z'"),
        ("set --expr z) -w 7", "第 2 个字符处多了一个右括号"),
        ("article -o art.html", "必须是文件夹，如 build/pages"),
        ("plot widest", "没有这条命令：'widest'；`gradtheory plot --help` 列出全部命令"),
    ],
)
def test_refusals_are_one_line_of_chinese(capsys, monkeypatch, tmp_path, line, told):
    monkeypatch.chdir(tmp_path)
    assert main([*line.split(), "--lang", "zh"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert told in err
    assert not _ENGLISH.search(_QUOTED.sub("", err))


@pytest.mark.parametrize("lang", ["中文", "zh_CN", "Chinese"])
def test_another_name_of_chinese_is_refused_in_chinese(capsys, lang):
    assert main(["width", "relu", "-w", "2", "--lang", lang]) == 2
    assert "'--lang' 的值无效" in capsys.readouterr().err


def test_what_the_table_does_not_have_is_quoted():
    for error in (InvalidArgument("w", 1, "must be quite another thing"), Undecided("nothing is known of this")):
        assert re.search(r"无法做到，英文说明如下（[a-z ]+）$", refusal(error, "zh"))
        assert not _HAN.search(refusal(error, "en"))
    assert refusal(MissingDependency("onnx", "torch"), "zh").startswith("需要 onnx：请运行 pip install")
