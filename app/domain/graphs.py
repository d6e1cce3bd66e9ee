"""Components of a directed graph, in a time that grows with its edges."""

from collections.abc import Iterable, Mapping

Graph = Mapping[str, Iterable[str]]
"""Each node with those it leads to; every node is a key."""


def components(graph: Graph) -> list[list[str]]:
    """The sets of nodes that lead to each other (Kosaraju), each in the graph's order. No recursion."""
    backward: dict[str, list[str]] = {node: [] for node in graph}
    for node, targets in graph.items():
        for target in targets:
            backward[target].append(node)
    order, place = _finishing_order(graph), {node: number for number, node in enumerate(graph)}
    found: list[list[str]] = []
    seen: set[str] = set()
    for node in reversed(order):
        if node not in seen:
            component = _gather(backward, node, seen)
            found.append(sorted(component, key=place.__getitem__))
    return found


def reachable(graph: Graph, start: str) -> dict[str, str | None]:
    """The nodes that ``start`` leads to, itself first, nearest first; each with the node it was first reached from."""
    came_from: dict[str, str | None] = {start: None}
    queue = [start]
    for node in queue:
        for target in graph[node]:
            if target not in came_from:
                came_from[target] = node
                queue.append(target)
    return came_from


def _finishing_order(graph: Graph) -> list[str]:
    order: list[str] = []
    seen: set[str] = set()
    for root in graph:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(graph[root]))]
        while stack:
            node, targets = stack[-1]
            following = next((target for target in targets if target not in seen), None)
            if following is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(graph[following])))
    return order


def _gather(graph: Graph, root: str, seen: set[str]) -> list[str]:
    seen.add(root)
    found = [root]
    for node in found:
        for target in graph[node]:
            if target not in seen:
                seen.add(target)
                found.append(target)
    return found
