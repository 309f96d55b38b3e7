import pytest

from eacnet.datasets.labels import IGNORED, trained
from eacnet.datasets.table import read_table
from eacnet.errors import InputError

PLAIN = "id,name,red,green,blue\n9,grass,0,255,0\n4,void,0,0,0\n2,Grünes Tal,0,0,255\n"


def read(tmp_path, content):
    path = tmp_path / "classes.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path)


def test_a_table_is_read_in_the_order_of_its_rows(tmp_path):
    table = read(tmp_path, PLAIN)
    assert [(label.id, label.train_id) for label in table] == [(9, 0), (4, IGNORED), (2, 1)]
    assert [label.name for label in trained(table)] == ["grass", "Grünes Tal"]
    assert table[0].color == (0, 255, 0)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        b"\x00\x00\xfe\xff" + PLAIN.encode("utf-32-be"),
        b"\xef\xbb\xbf" * 2 + PLAIN.encode(),
        ("\ufeff" + PLAIN).encode("utf-16"),
        PLAIN.encode("latin-1"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        "sep=;\n" + PLAIN.replace(",", ";"),
        PLAIN.replace(",", " , "),
        PLAIN.replace("\n", "\n\n,,,,\n"),
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace("id,name", "ID,Name").replace("void", "Void"),
        PLAIN.replace("grass", '"grass"'),
        PLAIN.replace("blue", "blue,remark")
        .replace("\n9", "\n9")
        .replace("0\n", "0,\n")
        .replace("255\n", "255,x\n"),
    ],
)
def test_as_editors_and_spreadsheets_save_it(tmp_path, content):
    assert read(tmp_path, content) == read(tmp_path, PLAIN)


def test_a_quoted_name_may_hold_the_separator(tmp_path):
    table = read(tmp_path, PLAIN.replace("grass", '"grass, wet"'))
    assert table[0].name == "grass, wet"


HEAD = "id,name,red,green,blue\n"
TELLING = "id,name,category,red,green,blue\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "missing column blue, green, id, name, red"),
        ("id,name,red,green\n", "missing column blue"),
        ("id,name,red,green,blue,ID\n", "column id is there twice"),
        (HEAD + "1,a,0,0,x\n", "line 2: expected whole numbers"),
        (HEAD + "\n1,a,0,0,1.5\n", "line 3: expected whole numbers"),
        (HEAD + "1_0,a,0,0,2\n", "line 2: expected whole numbers"),
        (HEAD + "1,a,0,0,256\n", "outside 0..255"),
        (HEAD + "-1,a,0,0,2\n", "outside 0..255"),
        (HEAD + "1,  ,0,0,2\n", "line 2: the name is empty"),
        (HEAD + "1,a, b,0,0,2\n", "6 cells under 5 columns"),
        (HEAD + "1,a,0,0\n", "4 cells under 5 columns"),
        (HEAD + "1,a,0,0,0\n1,b,0,0,1\n", "line 3: id 1 is there twice"),
        (HEAD + "1,void,0,0,0\n1,b,0,0,1\n", "id 1 is there twice"),
        (HEAD + "1,a,0,0,0\n2,a,0,0,1\n", "'a' is there twice"),
        (HEAD + "1,a,0,0,0\n2,A ,0,0,1\n", "'A' is there twice"),
        (HEAD + "1,\xe9,0,0,0\n2,e\u0301,0,0,1\n", "is there twice"),
        (HEAD + "1,a,0,0,0\n2,a\u200b,0,0,1\n", r"'a\\u200b' holds characters that can't be seen"),
        (HEAD + '1,"a\nb",0,0,0\n', "holds characters that can't be seen"),
        (TELLING + '1,a,"x\ny",0,0,0\n', r"the category 'x\\ny' holds characters that can't be"),
        (TELLING + "1,a,x\x1b[31m,0,0,0\n", r"the category 'x\\x1b\[31m' holds characters"),
        (HEAD + "1,a,5,0,0\n2,b,5,0,0\n", "'b' has the colour of 'a'"),
        (HEAD + "1,a,0,0,0\n", "1 classes"),
        (HEAD + '1,"a,0,0,0\n', "is no table"),
        (b"PK\x03\x04\0\0", "is no table .*save it as CSV"),
    ],
)
def test_a_bad_table_gets_one_line(tmp_path, text, expected):
    with pytest.raises(InputError, match=expected) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_two_rows_of_void_may_share_all_but_the_id(tmp_path):
    table = read(tmp_path, PLAIN + "5,void,0,0,0\n6,VOID,0,255,0\n")
    assert [label.id for label in table if label.train_id == IGNORED] == [4, 5, 6]


def test_a_missing_table_is_described(tmp_path):
    with pytest.raises(InputError, match=r"classes.csv is missing.*id,name,red,green,blue"):
        read_table(tmp_path / "classes.csv")
