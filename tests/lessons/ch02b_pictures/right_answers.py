"""Right answers to the exercise of lesson 2b on images, in more than one style."""


def rates_by_power(layers, lr, decay):
    groups = []
    for i, layer in enumerate(layers):
        learns = [p for p in layer.parameters() if p.requires_grad]
        groups.append({"params": learns, "lr": lr * decay ** (len(layers) - 1 - i)})
    return groups  # a frozen layer's group is empty, which an optimiser accepts


def rates_from_the_top(layers, lr, decay):
    groups = []
    for layer in layers[::-1]:
        if any(p.requires_grad for p in layer.parameters()):
            groups.append({"params": (p for p in layer.parameters() if p.requires_grad), "lr": lr})
        lr *= decay
    return tuple(groups)


def a_group_for_each_parameter(layers, lr, decay):
    return [
        {"params": p, "lr": lr * decay**below, "weight_decay": 0.0}
        for below, layer in enumerate(reversed(layers))
        for p in layer.parameters()
        if p.requires_grad
    ]


def with_names(layers, lr, decay):
    return [
        {
            "params": [(n, p) for n, p in layer.named_parameters() if p.requires_grad],
            "lr": lr * decay**below,
        }
        for below, layer in enumerate(reversed(layers))
        if any(p.requires_grad for p in layer.parameters())  # an optimiser takes no empty one here
    ]


RIGHT = [
    ("learning_rates", rates_by_power),
    ("learning_rates", rates_from_the_top),
    ("learning_rates", a_group_for_each_parameter),
    ("learning_rates", with_names),
]
