"""The settings of Sphinx for the site; the folder of sources is made by website.build."""

from pathlib import Path

from website import address

HERE = Path(__file__).parent

project = html_title = "Attention: a course that runs"
author = "the attention-course authors"
copyright = f"{author}; text CC BY 4.0, code MIT"
language = "en"
extensions = ["myst_nb", "website.extension"]
exclude_patterns = ["extra/**"]

nb_execution_mode = "off"  # what is shown is what was stored and tested
nb_merge_streams = True
nb_render_text_lexer = "none"
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
suppress_warnings = ["myst.header", "ref.python"]  # two rooms may have a class of the same name

html_theme = "furo"
html_math_renderer = "mathml"
html_favicon = str(HERE / "static/icon.svg")
html_static_path = [str(HERE / "static")]
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_domain_indices = False
add_module_names = False  # the heading says where it is
html_copy_source = False
html_show_sourcelink = False
html_baseurl = address.pages()
templates_path = [str(HERE / "templates")]
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#00507d", "color-brand-content": "#005f94"},
    "dark_css_variables": {"color-brand-primary": "#7cc7f0", "color-brand-content": "#7cc7f0"},
    "top_of_page_buttons": ["edit"] if address.repository() else [],
}
