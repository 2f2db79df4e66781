"""What is mistyped is told in one line, which says what would work in a shell."""

import pytest

import gradtheory as gt
from gradtheory.cli import main
from gradtheory.errors import InvalidArgument


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("set sigmoid -w 7 --effort 0", "effort = 0.0: must be a positive number"),
        ("set sigmoid -w 7 --effort nan", "effort = nan: must be a positive number"),
        ("set sigmoid -w", "Option '-w' requires an argument, as in: gradtheory set sigmoid -w 7"),
        ("set sigmoid -w 7 --json=yes", "Option '--json' does not take a value, as in: gradtheory set sigmoid -w 7"),
        ("set sigmoid -w 7 -w 5", "-w is given 2 times: give one value\n"),
        ("train -w 7 -w 5", "-w is given 2 times: write several numbers as in -3,-3\n"),
        ("train -w 7 7 -b -3 -3", "-3 is read as an option: several numbers have commas between them"),
        ("set sigmoid -w 7 --digits 30", "No such option '--digits', as in: gradtheory set sigmoid -w 7 -b 1"),
        ("set sigmoid -w 7 --thresold 2", "No such option '--thresold'. Did you mean '--threshold'?"),
        ("set sigmoid -weight 7", "No such option '-weight'. Did you mean '--weight'?"),
        (
            "derive --topic initialisation --value sigma_w=2",
            "value = 'sigma_w=2': must be all of sigma_w, c, or none: c left out",
        ),
        ("set sigmoid -w 7 --jsn", "No such option '--jsn'. Did you mean '--json'?"),
        ("set sigmoid -w 7 --certificate .", "certificate = '.': must be a file: a folder has that name"),
        ("set z*tanh(z) -w 7", "is an expression and no name; write --expr 'z*tanh(z)'"),
        ("set 7 -w 7", "names that `gradtheory activations` lists, such as sigmoid or relu"),
        ("set --expr 5 -w 7", "must be an expression in exactly one symbol, such as z*tanh(log(1 + exp(z)))\n"),
        ("set torch.nn.ReLU -w 7", "the nearest names are relu"),
        ("set nn.LeakyReLU(0.2) -w 7", "the nearest names are leaky_relu"),
        ("set nn.LogSoftmax(dim=1) -w 7", "is no element-wise activation"),
        ("simulate exponential", "has an unbounded slope"),
        ("set logistic -w 7", "the nearest names are sigmoid"),
        ("weights tanh -w 3 -x 0", "No such option '-w', as in: gradtheory weights tanh -x 0"),
        ("derive widest", "unexpected argument 'widest': write --topic widest\n"),
        ("derive widests sigmoid", "'widests', 'sigmoid': write --topic widest --activation sigmoid\n"),
        ("derive --topic widest widest more", "unexpected arguments 'widest', 'more': write --topic widest\n"),
        ("fact widest tanh", "unexpected argument 'tanh': write --activation tanh\n"),
        ("set sigmoid 7 -w 7", "unexpected argument '7', unlike: gradtheory set sigmoid -w 7 -b 1\n"),
        ("derive --wrt w9", "wrt = 'w9': must be of layer 1 to 3, such as w1\n"),
        (
            "set z*tanh(z -w 7",
            "is no name, and as an expression it must close the bracket that opens at character 7: '(z'",
        ),
        ("set elu(2 -w 7", "must close the bracket that opens at character 4: '(2'"),
        ("article -o art.html", "out = 'art.html': must be a folder, such as build/pages"),
        ("activations tanh", "unlike: gradtheory activations --json"),
        ("weight tanh", "No such command 'weight'. Did you mean"),
        ("explosion_set sigmoid", "No such command 'explosion_set'. Did you mean 'set'?"),
        ("--lang zh total-explosion-set", "没有这条命令：'total-explosion-set'。是否想写 'total'？"),
        ("banana", "No such command 'banana': `gradtheory --help` lists them"),
        ("plot banana", "No such command 'banana': `gradtheory plot --help` lists them"),
        ("explore --port x", "'x' is not a valid integer."),
        ("stability heavy_ball --eta -1", "eta = '-1': must be positive"),
        ("train -w 1e400", "weights = '1e400': must be within the range of float64"),
        ("train -w 1,2 --eta 1e-400", "eta = '1e-400': must be within the range of float64"),
        ("train -w 1,2 --eta 0.1,0.2", "eta = '0.1,0.2': must be one finite real number"),
        ("lyapunov tanh --sigma-w 1e400", "sigma_w = '1e400': must be within the range of float64"),
        ("lyapunov tanh --sigma-w x", "sigma_w = 'x': must be one finite real number, such as 7"),
        ("derive --topic explosion --value w=7 --value w=8", "value = 'w=7': gives w 2 times: give one value\n"),
        ("derive --letter w=theta --letter w=phi", "letter = 'w=theta': gives w 2 times: give one value\n"),
        ("audit none.onnx --data x.npy --html x.npy", "html = 'x.npy': must end in one of .html, .htm\n"),
        ("audit none.onnx --data x.npy --loss mse", "loss = 'mse': is used with --targets only\n"),
        ("audit none.onnx --data x.npy", "data = 'x.npy': cannot be read"),
        ("plot explosion_region none.onnx --box 1:2 --out x.png", "model = 'none.onnx': cannot be read"),
        ("plot explosion_region none.pt --box 1:2 --out x.png", "model = 'none.pt': is a pickle"),
        ("plot explosion_region x.onnx --activation rel --box 1:2 --out x.png", "activation = 'rel': is not in"),
        ("total sigmoid -w 5 --depth 1000000000", "depth = 1000000000: must be an int from 1 to 100000\n"),
    ],
)
def test_a_mistake_is_told_in_one_line(capsys, monkeypatch, tmp_path, line, told):
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert told in err


def test_an_effort_is_read_whatever_is_asked():
    with pytest.raises(InvalidArgument, match=r"^effort = -1: must be a positive number"):
        gt.explosion_set("sigmoid", w=7, effort=-1)
