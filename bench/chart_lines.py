"""Line charts side by side, from the points that `scale` and `history` write."""
import math

from picture import FAINT, GRID, WIDTH, Picture

COLORS = ("#1a7f37", "#8250df", "#0969da", "#bf8700", "#cf222e", "#59636e", "#bc4c00")
EDGE, GAP, TOP, FOOT = 48, 14, 26, 34


def charts_of(measured, kind):
    """Title -> series -> places, and the units, of the charts whose names begin with `kind`."""
    charts, units = {}, {}
    for point in measured.get("points", ()):
        if point["chart"].startswith(kind):
            title = point["chart"][len(kind):].lstrip(",: ")
            charts.setdefault(title, {}).setdefault(point["series"], []).append(
                (point["x"], point["y"]))
            units[title] = (point["xUnit"], point["yUnit"])
    return charts, units


def step_of(most):
    """A round distance with two to five marks up to `most`."""
    power = 10 ** math.floor(math.log10(most))
    return next(power * part for part in (0.2, 0.5, 1, 2) if most / (power * part) <= 5)


def number(value):
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


class Axis:
    """From values to places on the picture, evenly or by powers of ten."""

    def __init__(self, values, start, end, powers):
        self.powers, self.start, self.end = powers, start, end
        least, most = min(values), max(values)
        if powers:
            self.low, self.high = math.floor(math.log10(least)), math.log10(most)
            self.marks = [10.0 ** power for power in range(self.low, int(self.high) + 1)]
            if len(self.marks) < 2:  # one says nothing of how far the lines are from it
                self.marks = [part * mark for mark in self.marks for part in (1, 2, 5)
                              if part * mark <= most]
        else:
            self.low, self.high = 0, most
            step = step_of(most)
            self.marks = [step * place for place in range(int(most / step) + 1)]

    def at(self, value):
        place = math.log10(value) if self.powers else value
        return self.start + (self.end - self.start) * (place - self.low) / (self.high - self.low)


def panel(picture, x, y, size, title, series, units, colors, powers):
    width, height = size
    places = [place for line in series.values() for place in line]
    right = Axis([place[0] for place in places], x + EDGE, x + width - 6, powers)
    up = Axis([place[1] for place in places], y + height - FOOT, y + TOP, powers)
    picture.text(x + EDGE, y + 14, title, 13, weight="bold")
    for mark in up.marks:
        picture.line(right.start, up.at(mark), right.end, up.at(mark), GRID)
        picture.text(right.start - 5, up.at(mark) + 4, number(mark), 10, FAINT, anchor="end")
    for mark in right.marks:
        picture.text(right.at(mark), up.start + 14, number(mark), 10, FAINT, anchor="middle")
    picture.text(right.end, up.start + 27, f"{units[0]}; up: {units[1]}", 10, FAINT, anchor="end")
    for name, line in series.items():
        picture.path([(right.at(a), up.at(b)) for a, b in line], colors[name][0], colors[name][1])


def draw(measured, kind, title, columns, powers, words):
    charts, units = charts_of(measured, kind)
    if not charts:
        return None
    picture = Picture()
    picture.text(20, 30, title, 17, weight="bold")
    names = list(dict.fromkeys(name for series in charts.values() for name in series))
    # Of two lines the second is what the first is held against, and often right below it.
    colors = {name: (COLORS[place % len(COLORS)], "6 3" if place == 1 and len(names) == 2 else "")
              for place, name in enumerate(names)}
    x = 20
    for name in names:
        picture.path([(x, 48), (x + 22, 48)], *colors[name])
        picture.text(x + 27, 52, name, 12)
        x += 44 + 7 * len(name)
    width, height = (WIDTH - 40 - GAP * (columns - 1)) / columns, 190 if columns > 2 else 240
    for place, (chart, series) in enumerate(charts.items()):
        panel(picture, 20 + place % columns * (width + GAP), 64 + place // columns * height,
              (width, height - 8), chart, series, units[chart], colors, powers)
    end = 64 + -(-len(charts) // columns) * height
    return picture.svg(picture.below(end + 4, words), title)


def scale(measured):
    if "machine" not in measured or "results" not in measured:
        return None
    machine, results = measured["machine"], measured["results"]
    sizes = ", ".join(f"{result['paths']} paths of {result['bytes'] / 1e6:,.0f} MB"
                      for result in results)
    return draw(measured, "scale", "What it costs against the size of the closure", 3, True,
                f"{machine['cpu'].strip()}, {machine['cores']} cores, "
                f"{machine['memory'] / 2**30:.0f} GiB; {machine['system']}, Linux "
                f"{machine['kernel']}; nix-seed {machine['versions']['nix-seed']}, nix "
                f"{machine['versions']['nix']}. {sizes}; medians of {results[0]['runs']} runs.")


def history(measured):
    return draw(measured, "history", "Sent over a history of changes, against what has changed", 3,
                False, measured.get("about", ""))
