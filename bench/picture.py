"""What pictures are drawn with: text, bars and lines on a card, as SVG."""
import html

INK, FAINT, GRID = "#1f2328", "#59636e", "#d1d9e0"
FONT = "font-family=\"-apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif\""
WIDTH = 880


class Picture:
    def __init__(self):
        self.parts = []

    def text(self, x, y, words, size=13, color=INK, weight="normal", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" '
                          f'font-weight="{weight}" text-anchor="{anchor}">{html.escape(words)}</text>')

    def bar(self, x, y, width, height, color):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                          f'rx="2" fill="{color}"/>')

    def line(self, x1, y1, x2, y2, color, dash=""):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{color}" stroke-width="1.5" stroke-dasharray="{dash}"/>')

    def svg(self, height, title):
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'width="{WIDTH}" height="{height:.0f}" role="img" {FONT}>',
            f"<title>{html.escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="6" '
            f'fill="#ffffff" stroke="{GRID}"/>', *self.parts, "</svg>", ""])

    def path(self, points, color, dash=""):
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{places}" fill="none" stroke="{color}" '
                          f'stroke-width="2" stroke-dasharray="{dash}"/>')

    def below(self, y, words):
        """Small print; returns where the card ends."""
        for line in wrapped(words):
            self.text(20, y + 8, line, 11, FAINT)
            y += 15
        return y + 8


def wrapped(words, most=140):
    lines = [""]
    for word in words.split(" "):
        if len(lines[-1]) + len(word) > most:
            lines.append("")
        lines[-1] += word + " "
    return [line.strip() for line in lines]
