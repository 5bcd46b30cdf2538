"""StepGuard: an optimiser does not step on gradients that are no numbers; decided on the device."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class StepGuard:
    """Stands before and after the steps of an optimiser, by torch's own hooks.

    A gradient with a NaN or an infinite value counts as zero, in all parameters, so that weights
    stay finite; nothing waits for the device. With ``exact`` the step is taken back altogether,
    momentum and decay of weights included, for a second copy of weights and optimiser state.

    Args:
        optimizer: To stand in front of.
        module: Whose parameters it has; for their names.
        exact: Whether a step left out changes nothing at all.
    """

    def __init__(self, optimizer: Optimizer, module: nn.Module, exact: bool = False) -> None:
        self._names = {id(parameter): name for name, parameter in module.named_parameters()}
        self._stepped: list[str] = []
        self._finite: Tensor | None = None
        self._kept: list[tuple[Tensor, Tensor]] = []
        self._exact = exact
        self._handles = [optimizer.register_step_pre_hook(self._before)]
        if exact:
            self._handles.append(optimizer.register_step_post_hook(self._after))

    def take(self) -> tuple[list[str], Tensor | None]:
        """Names of the parameters of the last step, and which gradients were finite; then forget.

        Returns:
            N names, and (N,) booleans on the device; None when there was no step since.
        """
        finite, self._finite = self._finite, None
        return self._stepped, finite

    def remove(self) -> None:
        """Let the optimiser step as before."""
        for handle in self._handles:
            handle.remove()

    @torch.no_grad()
    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        parameters = [p for group in optimizer.param_groups for p in group['params']]
        stepped = [parameter for parameter in parameters if parameter.grad is not None]
        if not stepped:
            return
        gradients = [parameter.grad for parameter in stepped]
        self._stepped = [self._names.get(id(parameter), '?') for parameter in stepped]
        norms = torch.stack([norm.float() for norm in torch._foreach_norm(gradients)])
        self._finite = norms.isfinite()
        bad = ~self._finite.all()
        for gradient in gradients:
            gradient.masked_fill_(bad, 0)
        if self._exact:
            states = [v for p in stepped for v in optimizer.state[p].values()]
            tensors = [*stepped, *(value for value in states if isinstance(value, Tensor))]
            self._kept = [(tensor, tensor.clone()) for tensor in tensors]

    @torch.no_grad()
    def _after(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._finite is not None:
            good = self._finite.all()
            for tensor, before in self._kept:
                tensor.copy_(torch.where(good.to(tensor.device), tensor, before))
        self._kept = []
