"""ClickHouse behind one process: questions and answers as in rows.serve.

  {"do": "hudi", "table": P, "select": [..], "store": S, "out": F}                           answers {"rows": n}
P is an s3:// URL; S is {"endpoint": E, "key": K, "secret": T}.
"""
import os

os.environ["TZ"] = "UTC"
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

import chdb

import rows
from arrow import hand_over


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def answer(question):
    if question["do"] != "hudi":
        raise ValueError(f"unknown question {question['do']!r}")
    store = question["store"]
    url = question["table"].replace("s3:/", store["endpoint"], 1) + "/"
    columns = ", ".join("`" + name.replace("`", "\\`") + "`" for name in question["select"])
    source = ", ".join(map(literal, [url, store["key"], store["secret"]]))
    return hand_over(chdb.query(f"select {columns} from hudi({source})", "ArrowTable"), question)


rows.serve(answer, answers, {"ready": True})
