"""Write the golden files again."""

from cli.golden.files import HERE, written

for name, text in written().items():
    (HERE / name).write_text(text, encoding="utf-8")
