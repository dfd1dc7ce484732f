"""The course as a website, made from the committed notebooks and documents; nothing is run.

Reading order: build → sources → what they call.

    build     makes the folder of sources, then calls Sphinx on it; the command behind `python course.py site`
    sources   which page comes from which file: the whole site on one page, found on disk
    lessons   a committed notebook as a page: facts at its head, answers to fold, a text for each figure
    claims    the court of popular claims
    results   pictures of stored runs, and what was measured
    api       the reference, from the docstrings
    home      the first page: the explorer, the map, two commands
    links     links between files of the repository become links between pages
    markdown  what is code in a Markdown text and what is not
    address   the public addresses, where they are known
    conf      the settings of Sphinx
    extension what we add to Sphinx: formulas, folded answers, pictures that wait
    formulas  LaTeX to MathML, and the small font that draws it
    static    style and script
"""
