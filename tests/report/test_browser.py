"""The page in a real browser: Chromium without a window, without a network."""

import json
import re
import shutil
from itertools import combinations, product

import numpy as np
import pytest
from experiment import machine, timed

from eacnet.config.names import BACKBONES, BASELINES
from eacnet.report.figures.examples import Example
from eacnet.report.figures.training import training
from eacnet.report.pages.html import html

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium or chromedriver is not installed"
)
SWITCHES = (
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "no-first-run",
    "disable-sync",
    "disable-background-networking",
    "disable-component-update",
    "disable-dev-shm-usage",
)
HEIGHT, WIDTH = 40, 80
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="300"></svg>'


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """Start the one browser of this module."""
    selenium = pytest.importorskip("selenium.webdriver")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in SWITCHES:
        options.add_argument(f"--{switch}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    driver.set_script_timeout(20)
    yield driver
    driver.quit()


@pytest.fixture
def open_page(driver, results, tmp_path):
    """Return a function that opens the page at a width and returns the driver."""
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)  # road
    truth[:, 60:] = 255
    coarse, prediction = truth.copy(), np.full_like(truth, 1)  # sky
    coarse[:, 60:] = 0
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    shown = results()
    examples = [Example("a frame", image, truth, prediction, coarse)] * 2
    path = tmp_path / "index.html"
    text = html(shown, examples, [training], {"training.svg": SVG})
    path.write_text(text, encoding="utf-8")

    def make(width=1200, dark=False):
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        for log in ("browser", "performance"):
            driver.get_log(log)
        driver.get(path.as_uri())
        driver.execute_async_script(
            "const done = arguments[0]; const wait = () =>"
            " document.querySelectorAll('.view[data-ready]').length === 2 ? done()"
            " : setTimeout(wait, 20); wait();"
        )
        return driver

    return make


def color(driver, side, x, y, frame=0):
    """Return red, green, blue, alpha of a canvas at a pixel."""
    return driver.execute_script(
        "const canvas = document.querySelectorAll(`.view canvas.${arguments[0]}`)[arguments[3]];"
        "return [...canvas.getContext('2d').getImageData(arguments[1], arguments[2], 1, 1).data];",
        *(side, x, y, frame),
    )


def press(driver, selector, *keys):
    element = driver.find_element("css selector", selector)
    driver.execute_script("arguments[0].focus()", element)
    for key in keys:
        driver.switch_to.active_element.send_keys(key)
    return element


def cells(driver, table, column):
    return driver.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
        ".map((row) => row.cells[arguments[1]].textContent);",
        *(f"table-{table}", column),
    )


def test_it_loads_without_an_error_or_a_request(open_page):
    driver = open_page()
    assert driver.get_log("browser") == []
    requests = [
        message["params"]["request"]["url"]
        for message in (
            json.loads(entry["message"])["message"] for entry in driver.get_log("performance")
        )
        if message["method"] == "Network.requestWillBeSent"
    ]
    # chrome: what the browser asks of itself, once it is slow to start.
    asked = [url for url in requests if not url.startswith(("data:", "chrome:"))]
    assert asked == [driver.current_url]
    assert requests  # the log was on
    broken = "return [...document.images].filter((i) => !i.naturalWidth).length"
    assert driver.execute_script(broken) == 0


def test_the_policy_stops_what_is_not_ours(open_page):
    driver = open_page()
    driver.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.bad = 1';"
        "document.body.append(script);"
    )
    assert driver.execute_script("return window.bad") is None
    assert any("Content Security Policy" in entry["message"] for entry in driver.get_log("browser"))


def test_the_slider_moves_by_keyboard_and_changes_what_is_shown(open_page):
    driver = open_page()
    stage = driver.find_element("css selector", ".stage")

    def shown():
        clip = "return getComputedStyle(document.querySelector('.stage canvas.left')).clipPath"
        return driver.execute_script(clip), stage.screenshot_as_png

    clip, picture = shown()
    slider = press(driver, ".cut", *["\ue014"] * 5)  # arrow right
    assert slider.get_attribute("value") == "55"
    assert slider.get_attribute("aria-valuetext") == "55 percent coarse"
    moved, other = shown()
    assert moved != clip
    assert other != picture
    # Only this frame's slider moved.
    assert driver.find_elements("css selector", ".cut")[1].get_attribute("value") == "50"


def test_both_sides_show_the_classes_in_their_colours(open_page):
    from selenium.webdriver.support.select import Select

    driver = open_page()
    road, sky = [128, 64, 128], [70, 130, 180]
    assert np.allclose(color(driver, "left", 5, 5)[:3], road, atol=1)
    assert np.allclose(color(driver, "right", 5, 5)[:3], sky, atol=1)
    Select(driver.find_element("id", "left")).select_by_value("errors")
    broken, black = [230, 159, 0, 255], [0, 0, 0, 255]
    assert color(driver, "left", 5, 5) == broken
    assert color(driver, "left", 70, 5) == black
    assert driver.find_element("id", "error-key").is_displayed()
    Select(driver.find_element("id", "left")).select_by_value("photo")
    assert color(driver, "left", 5, 5)[3] == 0
    assert not driver.find_element("id", "error-key").is_displayed()


def test_the_legend_toggles_classes_in_all_frames(open_page):
    driver = open_page()
    button = press(driver, "#legend [data-class='1']", " ")
    assert button.get_attribute("aria-pressed") == "false"
    for frame in (0, 1):
        assert color(driver, "right", 5, 5, frame)[3] == 0
        assert color(driver, "left", 5, 5, frame)[3] > 0
    button.click()
    assert color(driver, "right", 5, 5)[3] > 0
    driver.find_element("id", "none").click()
    assert color(driver, "left", 5, 5)[3] == color(driver, "right", 5, 5)[3] == 0
    driver.find_element("id", "all").click()
    assert color(driver, "left", 5, 5)[3] > 0


def test_a_pixel_is_read_by_mouse_and_by_keyboard(open_page):
    from selenium.webdriver import ActionChains

    driver = open_page()
    stage = driver.find_element("css selector", ".stage")
    reading = driver.find_element("css selector", ".view output")
    ActionChains(driver).move_to_element_with_offset(stage, -60, 10).perform()
    assert re.match(r"x \d+, y \d+: truth: road, coarse: road, calibrated: sky", reading.text)
    assert driver.find_element("css selector", ".tag").text == "road"
    ActionChains(driver).move_to_element_with_offset(stage, 60, 10).perform()
    assert driver.find_element("css selector", ".tag").text == "sky"
    driver.execute_script("arguments[0].focus()", stage)
    start = int(re.match(r"x (\d+)", reading.text)[1])
    stage.send_keys("\ue012")  # arrow left
    assert int(re.match(r"x (\d+)", reading.text)[1]) == start - 1
    assert driver.find_element("css selector", ".point").is_displayed()


def test_a_table_sorts_by_mouse_and_by_keyboard_with_the_missing_last(open_page):
    driver = open_page()
    names = cells(driver, "classes", 0)
    assert names == ["road", "sky", "train", "mean"]
    head = driver.find_element("css selector", "#table-classes th:nth-child(3)")
    head.find_element("tag name", "button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert cells(driver, "classes", 2) == ["62.50", "51.25", "40.00", "\N{EN DASH}"]
    press(driver, "#table-classes th:nth-child(3) button", "\ue007")  # enter
    assert head.get_attribute("aria-sort") == "ascending"
    assert cells(driver, "classes", 2) == ["40.00", "51.25", "62.50", "\N{EN DASH}"]
    press(driver, "#table-classes th:nth-child(1) button", " ")
    assert cells(driver, "classes", 0) == sorted(names)
    assert head.get_attribute("aria-sort") is None


@pytest.fixture
def chart(driver, results, eleven, tmp_path):
    """Open a page whose chart has eleven networks, at two sizes and on two machines."""
    other = machine("GPU A")
    (device,) = eleven["speed"]
    device["rows"] += [timed("dab-pooled", "openvino", 50.0, height=512, width=1024)]
    shown = results(**{**eleven, "speed": [device, other]})
    path = tmp_path / "chart.html"
    path.write_text(html(shown, [], [], {}), encoding="utf-8")

    def make(width=1200, script=True):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        driver.get_log("browser")
        driver.get(path.as_uri())
        return driver

    yield make
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def shown_dots(driver):
    return [dot.get_attribute("aria-label") for dot in driver.find_elements("css selector", ".dot")]


def test_the_chart_shows_what_is_chosen(chart):
    from selenium.webdriver.support.select import Select

    driver = chart()
    assert driver.get_log("browser") == []
    lists = {
        name: Select(driver.find_element("id", name)) for name in ("machine", "size", "precision")
    }
    offered = {name: [one.text for one in each.options] for name, each in lists.items()}
    sizes = ["360 \N{MULTIPLICATION SIGN} 480", "512 \N{MULTIPLICATION SIGN} 1024"]
    assert offered == {
        "machine": ["CPU", "GPU A"], "size": sizes, "precision": ["all", "fp32", "bf16", "int8"]
    }  # fmt: skip
    assert len(shown_dots(driver)) == 3 * (9 * 2 + 2)
    assert len(driver.find_elements("css selector", ".move")) == 3 * 9
    lists["precision"].select_by_value("bf16")
    dots = shown_dots(driver)
    assert len(dots) == 20
    assert all("bf16" in text for text in dots)
    lists["size"].select_by_value(sizes[1])
    (only,) = shown_dots(driver)
    said = r"dab \+ pooled, .*1024, fp32 \(openvino\): 50\.0 ms, 20\.0 frames per second, "
    assert re.fullmatch(said + r"[\d.]+ % mIoU", only)
    lists["machine"].select_by_value("GPU A")
    assert [text.split(",")[0] for text in shown_dots(driver)] == ["dab + pooled"]


def test_the_chart_is_read_by_mouse_and_by_keyboard(chart):
    from selenium.webdriver import ActionChains

    driver = chart()
    reading = driver.find_element("css selector", "#balance output")
    tag = driver.find_element("css selector", ".board .tag")
    assert not tag.is_displayed()
    dots = driver.find_elements("css selector", ".dot")
    fastest = dots[-1]
    ActionChains(driver).move_to_element(fastest).perform()
    assert reading.text == fastest.get_attribute("aria-label")
    assert tag.is_displayed()
    assert reading.text.startswith(tag.text.split(",")[0])
    # One stop of the Tab key, from where the arrows lead to every network from slow to fast.
    assert [dot.get_attribute("tabindex") for dot in dots].count("0") == 1
    rates = []
    driver.execute_script("arguments[0].focus()", dots[0])
    for key in ["\ue014"] * (len(dots) - 1):  # arrow right
        rates.append(float(re.search(r"([\d.]+) frames", reading.text)[1]))
        driver.switch_to.active_element.send_keys(key)
    assert rates == sorted(rates)
    assert reading.text == fastest.get_attribute("aria-label")
    driver.switch_to.active_element.send_keys("\ue011")  # home
    assert reading.text == dots[0].get_attribute("aria-label")


@pytest.mark.parametrize("width", [1200, 390])
def test_names_in_the_chart_lie_over_no_other_and_no_point(chart, width):
    driver = chart(width)
    boxes = driver.execute_script(
        "const box = (e) => { const b = e.getBoundingClientRect();"
        " return [e.textContent, b.left, b.top, b.right, b.bottom]; };"
        "return [[...document.querySelectorAll('.board text')].map(box),"
        " [...document.querySelectorAll('.board .dot')].map(box)];"
    )
    words, dots = boxes
    names = [word[0] for word in words if word[0] in {*BACKBONES, *BASELINES}]
    assert len(names) == len(set(names)) >= (11 if width > 500 else 6)
    pairs = [*combinations(words, 2), *product(words, dots)]
    for (name, x0, y0, x1, y1), (other, left, top, right, bottom) in pairs:
        assert x1 <= left or right <= x0 or y1 <= top or bottom <= y0, (name, other)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_without_script_the_page_leads_to_the_figure(chart):
    driver = chart(script=False)
    live, text = (
        driver.find_element("css selector", f"#balance {name}") for name in (".live", "p")
    )
    assert not live.is_displayed()
    assert text.is_displayed()
    assert "needs JavaScript" in driver.find_element("css selector", "#balance").text


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_scrolls_tables_in_their_own_box(open_page, dark):
    driver = open_page(width=390, dark=dark)
    widths = "return [document.documentElement.scrollWidth, window.innerWidth]"
    assert driver.execute_script(widths) == [390, 390]
    overflows = "const b = document.querySelector('#ablation .scroll');"
    overflows += "return b.scrollWidth > b.clientWidth && b.classList.contains('more')"
    assert driver.execute_script(overflows)
    button = driver.find_element("css selector", "#legend button")
    assert button.size["height"] >= 32


def test_dark_follows_the_system_and_the_button(open_page):
    def background(driver):
        return driver.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = background(open_page())
    driver = open_page(dark=True)
    dark = background(driver)
    assert dark != light
    button = driver.find_element("id", "theme")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert background(driver) == light
    assert button.get_attribute("aria-pressed") == "false"
    driver = open_page()
    press(driver, "#theme", " ")
    assert background(driver) == dark


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_as_wcag_asks(open_page, dark):
    """Contrast of at least 4.5 (WCAG 2.2, 1.4.3) for every colour of text on its ground."""
    driver = open_page(dark=dark)
    names = ["--paper", "--card", "--hover", "--ink", "--soft", "--accent", "--accent-ink"]
    values = driver.execute_script(
        "const style = getComputedStyle(document.documentElement);"
        "return arguments[0].map((name) => style.getPropertyValue(name).trim());",
        names,
    )
    palette = dict(zip(names, values, strict=True))

    def luminance(name):
        levels = np.array([int(palette[name][at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    pairs = [(text, ground) for text in names[3:6] for ground in names[:3]]
    for pair in [*pairs, ("--accent-ink", "--accent")]:
        high, low = sorted(map(luminance, pair), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, pair
