"""Files that servers are given: pages, and configurations from templates."""


def page(length):
    """HTML that is the same each time, and shrinks to a fourth or a fifth as a page of text does."""
    words = "the of and to a in is that it was for on are as with his they at be this from".split()
    number, lines, have = 1, [], 0
    while have < length:
        text = []
        for _ in range(12):
            number = (number * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
            text.append(words[number >> 27] if number >> 27 < len(words) else f"{number >> 8:x}"[:5])
        lines.append(f'<li class="item" id="i{len(lines)}"><a href="/item/{number >> 18}">{" ".join(text)}</a></li>\n')
        have += len(lines[-1])
    return "".join(lines)[:length]


def read(path):
    with open(path) as file:
        return file.read()


def write(path, template, values):
    with open(path, "w") as file:
        file.write(template % values)
    return path
