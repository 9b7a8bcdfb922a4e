"""The table, the aims, and the file for machines."""

import statistics

from cases import AIMS, DOWNLOAD, TRANSFER

# Of the column of names.
WIDTH = 16


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def spread(runs, key):
    values = [run[key] for run in runs]
    return min(values), max(values)


def print_case(case, results, processes):
    """One case: a line for each server."""
    if case.kind == TRANSFER:
        print_transfer(case, results)
        return
    print(f"\n{case.name}  ({case.note or about(case)})")
    download = case.kind == DOWNLOAD
    per = f"CPU s/{case.per // 1000}k" if case.per >= 1000 else "CPU s"
    others = [name for name in case.servers if name != "ferrite"]
    beside = [case.beside.protocol] if case.beside else []
    columns = ["MiB/s" if download else "req/s", "p50 ms", "p99 ms", per, "min-max"]
    columns += [f"x {name}" for name in others + beside]
    print(f"  {'':<{WIDTH}}" + "".join(f"{column:>14}" for column in columns))
    for label, runs in results.items():
        if isinstance(runs, str):
            print(f"  {label:<{WIDTH}}  {runs}")
            continue
        name, _, protocol = label.partition(" ")
        scale = case.per / 100_000
        content = case.answer_bytes / (1 << 20) if download else 1
        low, high = (bound * scale for bound in spread(runs, "cpu_s_per_100k"))
        cells = [
            f"{median(runs, 'requests_per_second') * content:,.0f}",
            millis(runs, "p50_ms"),
            millis(runs, "p99_ms"),
            f"{median(runs, 'cpu_s_per_100k') * scale:.2f}",
            f"{low:.2f}-{high:.2f}",
            *(ratio(runs, results.get(f"{other} {protocol}".strip())) for other in others),
            *(ratio(runs, results.get(f"{name} {other}")) for other in beside),
        ]
        print(f"  {label:<{WIDTH}}" + "".join(f" {cell:>13}" for cell in cells))
        print_errors(runs)
        if case.application and runs[-1]["worker_bytes"]:
            print(f"      memory of a worker (PSS): {runs[-1]['worker_bytes'] / (1 << 20):.1f} MiB")
        if processes:
            print_processes(case, runs[-1])


def print_transfer(case, results):
    print(f"\n{case.name}  ({case.note}; one at a time, {case.workers} worker)")
    others = [name for name in case.servers if name != "ferrite"]
    columns = ["MiB/s", "CPU s/GiB", "min-max", "CPU ms each", "peak MiB", "above idle"]
    columns += [f"x {name}" for name in others]
    print(f"  {'':<{WIDTH}}" + "".join(f"{column:>14}" for column in columns))
    mebibytes = lambda runs, key: f"{max(run[key] for run in runs) / (1 << 20):.1f}"  # noqa: E731
    for label, runs in results.items():
        if isinstance(runs, str):
            print(f"  {label:<{WIDTH}}  {runs}")
            continue
        low, high = spread(runs, "cpu_s_per_gib")
        cells = [
            f"{median(runs, 'requests_per_second') * case.body_bytes / (1 << 20):,.0f}",
            f"{median(runs, 'cpu_s_per_gib'):.2f}",
            f"{low:.2f}-{high:.2f}",
            f"{median(runs, 'cpu_ms_each'):.1f}",
            mebibytes(runs, "peak_bytes"),
            mebibytes(runs, "above_idle_bytes"),
            *(ratio(runs, results.get(other)) for other in others),
        ]
        print(f"  {label:<{WIDTH}}" + "".join(f"{cell:>14}" for cell in cells))


def about(case):
    streams = f" x {case.streams} streams" if case.streams > 1 else ""
    workers = f"{case.workers} worker{'s' * (case.workers > 1)}"
    return f"{case.connections} connections{streams}, {workers}"


def millis(runs, key):
    return "" if runs[0][key] is None else f"{median(runs, key):.2f}"


def print_errors(runs):
    errors = {}
    for run in runs:
        for kind, count in run["errors"].items():
            errors[kind] = errors.get(kind, 0) + count
    if errors:
        print("              errors: " + ", ".join(f"{n} {kind}" for kind, n in errors.items()))


def print_processes(case, run):
    """Where the CPU time went, in the last run: user + system seconds of as many requests."""
    scale = case.per / 100_000
    for name, (user, system) in run["processes"].items():
        user, system = user * scale, system * scale
        if user + system >= 0.01:
            print(f"      {user:6.2f} user {system:6.2f} system  {name}")


# With more refused requests than this share, a server's figures are no measure for others.
ERRORS_SHARE_MAX = 0.01


def sound(runs):
    errors = sum(sum(run["errors"].values()) for run in runs)
    return errors <= ERRORS_SHARE_MAX * sum(run["requests"] for run in runs)


def ratio(runs, others):
    if not others or isinstance(others, str) or others is runs:
        return ""
    if not sound(runs) or not sound(others):
        return "errors"
    return f"{median(runs, 'cpu_s_per_100k') / median(others, 'cpu_s_per_100k'):.2f}"


def print_idle(case, results):
    print(f"\n{case.name}  (connections that have had one answer)")
    print(f"  {'':<{WIDTH}}{'connections':>13}{'bytes each':>13}{'MiB before':>13}")
    for name, found in results.items():
        if isinstance(found, str):
            print(f"  {name:<{WIDTH}}  {found}")
            continue
        count, each = f"{found['connections']:,}", f"{found['bytes_each']:,.0f}"
        mebibytes = f"{found['memory_bytes'] / (1 << 20):.1f}"
        print(f"  {name:<{WIDTH}}{count:>13}{each:>13}{mebibytes:>13}")


def aims(results, ours="ferrite"):
    """[(text, figure, bound, whether that is the least, met)] of the aims that were measured."""
    found = []
    for aim in AIMS:
        runs = results.get(aim.case, {}).get(ours)
        if not runs or isinstance(runs, str):
            continue
        if not aim.over:
            figure = runs["bytes_each"] if isinstance(runs, dict) else median(runs, aim.key)
        else:
            server, case = aim.over
            others = results.get(case, {}).get(server)
            if not others or isinstance(others, str):
                continue
            figure = median(runs, aim.key) / median(others, aim.key)
        if aim.at_least is None:
            found.append((aim.text, figure, aim.at_most, False, figure <= aim.at_most))
        else:
            found.append((aim.text, figure, aim.at_least, True, figure >= aim.at_least))
    return found


def print_aims(found, colours):
    if not found:
        return
    green, red, plain = ("\33[32m", "\33[31m", "\33[0m") if colours else ("", "", "")
    print("\naims  (ratios are within this run, of CPU seconds per request unless speed is named)")
    for text, figure, bound, least, met in found:
        verdict = f"{green}PASS{plain}" if met else f"{red}MISS{plain}"
        shown = f"{figure:,.0f}" if bound > 100 else f"{figure:.3f}"
        limit = f"{bound:,.0f}" if bound > 100 else f"{bound:.3f}"
        print(f"  {verdict}  {text:<52} {shown:>8}  (at {'least' if least else 'most'} {limit})")
