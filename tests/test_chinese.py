"""The Chinese names: one for each term, none that means something else, none that is coined."""

import re
from collections import Counter
from pathlib import Path

import nbformat

CHAPTERS = Path(__file__).parent.parent / "chapters"
# What a Chinese reader takes for another thing, and what it should be.
REFUSED = {
    "直接迁移": "特征提取: 直接迁移 is a source model used without any training on the target",
    "线性探测": "线性探针: 线性探测 is a way to find a free place in a hash table",
    "边际似然": "边缘似然: 边际 is the economists' word",
    "方差缩放": "损失除以方差: 方差缩放 is a way to draw initial weights",
    "赢家的乐观偏差": "赢家诅咒",
    "栅栏": "上下限（内限）: 栅栏 stands in a field",
    "严格协议": "严格方案: 协议 is a network's or a contract",
    "随机失活": "Dropout（暂退法）",
    "元随机梯度下降": "Meta-SGD",
    "剪贴混合": "CutMix",
    "公正多任务学习": "IMTL-G",
    "误差区间": "置信区间",
    "配对区间": "配对差值的置信区间",
    "数据泄露": "数据泄漏: 泄露 is a breach of privacy",
    "公平比较": "what is equal and what is not",
    "饿死": "得不到训练",
    "显著": "明显: nothing was tested for significance",
    "真实精度": "准确率: 精度 is precision",
    "个标签一类": "每类…个标签",
}
# Names that are right inside a longer one, or once beside it.
ALONE = {
    r"(?<!冲突)梯度投影": "PCGrad（冲突梯度投影）: 梯度投影 is Rosen's method",
    r"(?<!又译)海森": "黑塞矩阵",
    r"\| (域|源|目标|源, 目标) \|": "领域, 源域, 目标域: 目标 alone is also an objective",
}


def entries():
    """Yield term and Chinese name of each row of the glossary."""
    text = (CHAPTERS / "glossary.md").read_text(encoding="utf-8")
    yield from re.findall(r"^\| (?!term \||-)(.+?) \| (.+?) \|", text, re.MULTILINE)


def texts():
    """Yield the name and the prose of each page that holds Chinese."""
    yield "glossary", (CHAPTERS / "glossary.md").read_text(encoding="utf-8")
    for path in sorted(CHAPTERS.glob("[0-9]*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        yield path.name, "\n".join(c.source for c in cells if c.cell_type == "markdown")


def wrong_names(text):
    """Return what a text calls by a name that means something else."""
    return [f"{word} → {right}" for word, right in REFUSED.items() if word in text] + [
        f"{pattern} → {right}" for pattern, right in ALONE.items() if re.search(pattern, text)
    ]


def test_no_page_uses_a_name_that_means_something_else():
    assert {name: wrong_names(text) for name, text in texts() if wrong_names(text)} == {}


def test_a_wrong_name_is_found_and_a_right_one_is_not():
    wrong = "用线性探测, PCGrad（梯度投影）\n| source, target | 源, 目标 | x |"
    assert len(wrong_names(wrong)) == 3
    assert wrong_names("线性探针、PCGrad（冲突梯度投影）、黑塞矩阵（又译海森矩阵）、源域") == []


def test_no_two_terms_share_a_chinese_name():
    names = Counter(name for _, entry in entries() for name in entry.split(", "))
    assert [name for name, n in names.items() if n > 1] == []


def test_every_term_of_these_has_its_row():
    terms = {term for entry, _ in entries() for term in re.split(r", | \(", entry.rstrip(")"))}
    wanted = {"features", "embedding", "feature extraction", "plain transfer", "episode"}
    wanted |= {"NCE", "LEEP", "LogME", "H-score", "LSTM", "Transformer", "linear probe"}
    assert wanted - terms == set()


def test_every_lesson_has_a_summary_in_chinese_that_a_browser_sets_in_bold():
    for name, text in texts():
        if name != "glossary":
            assert len(re.findall(r"(?m)^> \*\*中文摘要\*\* [\u4e00-\u9fff]", text)) == 1, name
