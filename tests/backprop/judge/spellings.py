"""Formulas as twenty students would type them, over all questions."""

# ruff: noqa: E501  (the tables have a text a line)

#: Right answers: question | text.
RIGHT = r"""
1.1 | y-t
1.1 | y - t_n
1.1 | $a_1^{(4)} - t_n$
1.1 | \(a^{(4)}_1-t\)
1.1 | \[ \frac{\partial E_n}{\partial a_1^{(4)}} = a_1^{(4)} - t_n \]
1.1 | $$\dfrac{\partial E}{\partial a_1^{(4)}} = y(x_n, w) - t_n$$
1.1 | \begin{align} \frac{\partial E_n}{\partial a_1^{(4)}} &= \frac{1}{2}\cdot 2 (a_1^{(4)}-t_n) \\ &= a_1^{(4)} - t_n \end{align}
1.1 | \begin{equation} \delta_1^{(4)} = y - t_n \end{equation}
1.1 | -(t_n - y_n)
1.1 | δ₁⁽⁴⁾ = a₁⁽⁴⁾ − tₙ
1.1 | \hat{y} - t_n
1.1 | \hat y - t
1.1 | a[4][1] - t
1.1 | \delta_1^{(4)} = a_1^{(4)} - t_n.
1.1 | a^{(4)} - t
1.1 | \mathrm{y} - \mathrm{t}
1.1 | z_1^{(4)} - t_n
1.1 | y_1 - t_1
1.1 | y(\mathbf{x}_n,\mathbf{w}) - t_n
1.1 | y(x_n; w) - t
1.1 | \delta_1^{(4)} = \frac{\partial E_n}{\partial a_1^{(4)}} = y - t_n
1.1 | \frac{\mathrm{d}E_n}{\mathrm{d}a_1^{(4)}} = y-t
1.1 | 2 * 1/2 * (y - t)
1.1 | yn - tn
1.2 | \delta^{(4)}_1 z^{(3)}_2
1.2 | (a_1^{(4)}-t_n)\cdot z_2^{(3)}
1.2 | \frac{\partial E_n}{\partial a_1^{(4)}} \frac{\partial a_1^{(4)}}{\partial w_{12}^{(3)}} = \delta_1^{(4)} z_2^{(3)}
1.2 | \delta_1^{(4)} \odot z_2^{(3)}
1.2 | δ_1^(4) ⊙ z_2^(3)
1.2 | delta1^(4) * z2^(3)
1.2 | dE/dw12(3) = delta1(4) * z2(3)
1.2 | dE/dw_12^(3) = delta_1^(4) z_2^(3)
1.2 | \delta^4_1 z^3_2
1.2 | \delta_1^{\left(4\right)} z_2^{\left(3\right)}
1.2 | \delta_{1}^{\text{(4)}} z_{2}^{\text{(3)}}
1.2 | delta_{1}^{(4)}\,z_{2}^{(3)}
1.2 | {\delta}_{1}^{(4)}~{z}_{2}^{(3)}
1.2 | \frac{\partial E_n}{\partial w_{12}^{(3)}} = \sum_k \frac{\partial E_n}{\partial a_k^{(4)}}\frac{\partial a_k^{(4)}}{\partial w_{12}^{(3)}} = \delta_1^{(4)} z_2^{(3)}
1.3 | h'(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | \sigma'(a_1^{(3)})\, w_{1,1}^{(3)}\, \delta_1^{(4)}
1.3 | \sigma(a^{(3)}_1)\left(1-\sigma(a^{(3)}_1)\right) w^{(3)}_{11} \delta^{(4)}_1
1.3 | z_1^{(3)}(1-z_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | h′(a₁⁽³⁾) w₁₁⁽³⁾ δ₁⁽⁴⁾
1.3 | h'(a[3][1]) * w[3][1][1] * delta[4][1]
1.3 | h'(a[3][1])*w[3][1,1]*delta[4][1]
1.3 | h^{\prime}\bigl(a_1^{(3)}\bigr) w_{11}^{(3)} \delta_1^{(4)}
1.3 | {h}'(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | \frac{e^{-a_1^{(3)}}}{(1+e^{-a_1^{(3)}})^2} w_{11}^{(3)} \delta_1^{(4)}
1.3 | \frac{d h(a_1^{(3)})}{d a_1^{(3)}} w_{11}^{(3)} \delta_1^{(4)}
1.3 | \frac{\partial z_1^{(3)}}{\partial a_1^{(3)}} w_{11}^{(3)} \delta_1^{(4)}
1.3 | \operatorname{sigmoid}(a_1^{(3)})(1-\operatorname{sigmoid}(a_1^{(3)})) w_{11}^{(3)} \delta_1^{(4)}
1.3 | \mathrm{sigmoid}'(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | \delta_1^{(3)} = h'(a_1^{(3)}) \sum_{k=1}^{1} w_{k1}^{(3)} \delta_k^{(4)}
1.3 | \frac{1}{1+\exp(-a_1^{(3)})}\left(1-\frac{1}{1+\exp(-a_1^{(3)})}\right) w_{11}^{(3)} \delta_1^{(4)}
1.3 | \boldsymbol{\delta}_1^{(4)} w_{11}^{(3)} h'(a_1^{(3)})
1.3 | \phi'(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | h^{'}(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | h^\prime(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | h\prime(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)}
1.3 | sigmoid'(a[3][1]) * w[3][1][1] * delta[4][1]
1.3 | sigmoid_prime(a[3][1]) * w[3][1][1] * delta[4][1]
1.3 | h_prime(a3) * (delta4 @ w3)
1.3 | w_11^3 h'(a_1^3) δ_1^4
1.3 | 𝛿₁⁽⁴⁾ 𝑤₁₁⁽³⁾ ℎ′(𝑎₁⁽³⁾)
1.4 | \delta_1^{(3)} z_1^{(2)}
1.4 | delta1^(3) * z1^(2)
1.4 | δ1^(3) z1^(2)
1.4 | dE/dw11(2) = delta1^(3) * z1^(2)
1.4 | dE/dw11^(2) = delta[3][1] z[2][1]
1.4 | \delta_1^{(3)} * h(a_1^{(2)})
1.4 | h'(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}z_1^{(2)}
1.4 | delta3[0]*z2[0]
1.4 | delta3.T @ z2
1.4 | np.outer(delta3, z2)
1.4 | np.outer(delta[3], z[2])[0, 0]
1.4 | dw2 = delta3.T @ z2
1.4 | dW2 = np.dot(delta3.T, z2)
1.4 | delta3.T.dot(z2)
1.4 | delta3[:, None] * z2[None, :]
1.4 | delta_3.T @ z_2
1.4 | delta[3,1]*z[2,1]
1.4 | delta[3].T @ z[2]
1.5 | h'(a_1^{(2)}) \sum_{k=1}^3 w_{k1}^{(2)} \delta_k^{(3)}
1.5 | h'(a_1^{(2)}) \sum_k w_{k1}^{(2)} \delta_k^{(3)}
1.5 | h'(a_1^{(2)}) \sum\limits_{k=1}^{3} \delta_k^{(3)} w_{k1}^{(2)}
1.5 | h'(a_1^{(2)}) \left( w_{11}^{(2)}\delta_1^{(3)} + w_{21}^{(2)}\delta_2^{(3)} + w_{31}^{(2)}\delta_3^{(3)} \right)
1.5 | h'(a_1^{(2)}) [ w_{11}^{(2)}\delta_1^{(3)} + w_{21}^{(2)}\delta_2^{(3)} + w_{31}^{(2)}\delta_3^{(3)} ]
1.5 | h'(a[2][1]) * sum(w[2][k][1]*delta[3][k] for k in 1..3)
1.5 | h'(a[2][1]) * sum(w[2][k][1]*delta[3][k] for k in range(1, 4))
1.5 | h'(a[2][1]) * sum(w[2][k][1]*delta[3][k], k=1..3)
1.5 | h'(a_1^(2)) * sum_{k=1..3} w_k1^(2) delta_k^(3)
1.5 | h'(a_1^(2)) Σ_{k=1}^{3} w_{k1}^(2) δ_k^(3)
1.5 | h'(a₁⁽²⁾) ∑ₖ wₖ₁⁽²⁾ δₖ⁽³⁾
1.5 | h'(a₁⁽²⁾) ∑ₖ₌₁³ wₖ₁⁽²⁾ δₖ⁽³⁾
1.5 | \sum_{j} \delta_j^{(3)} w_{j1}^{(2)} h'(a_1^{(2)})
1.5 | h'(a_1^{(2)}) (w_{11}^{(2)}\delta_1^{(3)} + \cdots + w_{31}^{(2)}\delta_3^{(3)})
1.5 | h'(a_1^{(2)}) (w_{11}^{(2)}\delta_1^{(3)} + \ldots + w_{31}^{(2)}\delta_3^{(3)})
1.5 | z_1^{(2)}(1-z_1^{(2)})\sum_{k\in\{1,2,3\}}\delta_k^{(3)}w_{k1}^{(2)}
1.5 | h'(a_1^{(2)}) \sum_{k=1}^{3} \frac{\partial E_n}{\partial a_k^{(3)}} \frac{\partial a_k^{(3)}}{\partial z_1^{(2)}}
1.5 | (delta3 @ w2) * h_prime(a2)
1.5 | \begin{aligned} &h'(a_1^{(2)})\\ &\cdot\sum_{k=1}^{3}w_{k1}^{(2)}\delta_k^{(3)} \end{aligned}
1.5 | \sum_{k=1}^{N_3} w_{k1}^{(2)} \delta_k^{(3)} h'(a_1^{(2)})
1.5 | \sum_{k=1}^{3}{w_{k1}^{(2)}\delta_k^{(3)}}h'(a_1^{(2)})
1.5 | h'(a_1^{(2)})\Big\{\sum_{k=1}^{3} w_{k1}^{(2)}\delta_k^{(3)}\Big\}
1.5 | \left[\sum_{k=1}^{3} w_{k1}^{(2)}\delta_k^{(3)}\right] h'(a_1^{(2)})
1.5 | \delta_1^{(2)} = h'(a_1^{(2)}) \sum_{k} w_{k1}^{(2)} \delta_{k}^{(3)}
1.5 | h'(a_1^{(2)}) \sum_{1\le k\le 3} w_{k1}^{(2)} \delta_k^{(3)}
1.5 | sum_{k=1}^{3} w_k1^2 delta_k^3 h'(a_1^2)
1.6 | \delta_1^{(2)} x_1
1.6 | \delta_1^{(2)} x_{n1}
1.6 | \delta_1^{(2)} x_{1,n}
1.6 | \delta_1^{(2)} z_1^{(1)}
1.6 | δ₁⁽²⁾ x₁
1.6 | delta[2][1]*x[1]
1.6 | \delta_1^{(2)} x_1^{(n)}
1.6 | x_1 h'(a_1^{(2)}) \sum_{k=1}^{3} w_{k1}^{(2)} \delta_k^{(3)}
1.6 | \frac{\partial E_n}{\partial w^{(1)}_{11}} = \delta^{(2)}_1 x_1
1.6 | \partial E / \partial w_{11}^{(1)} = \delta_1^{(2)} x_1
1.6 | \delta_1^{(2)} x_1^{(1)}
1.6 | \delta_1^{(2)} x^{(1)}_1
1.6 | \delta_1^{(2)}x_1\cdot 1
2.1 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\prod_{m=l+1}^{152}h'(a_1^{(m)})
2.1 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}h'(a_1^{(m)})
2.1 | z_1^{(l)} \left(\prod_{m=l+1}^{152} h'(a_1^{(m)}) w_{11}^{(m)}\right) (a_1^{(153)}-t_n)
2.1 | z_1^{(l)} h'(a_1^{(l+1)}) w_{11}^{(l+1)} \cdots h'(a_1^{(152)}) w_{11}^{(152)} (y-t)
2.1 | (y-t) w_{11}^{(152)} h'(a_1^{(152)}) \cdots w_{11}^{(l+1)} h'(a_1^{(l+1)}) z_1^{(l)}
2.1 | (y-t) z_1^{(l)} h'(a_1^{(l+1)}) \cdots h'(a_1^{(152)}) w_{11}^{(l+1)} \cdots w_{11}^{(152)}
2.1 | (y-t) z_1^{(l)} h'(a_1^{(l+1)}) \ldots h'(a_1^{(152)}) w_{11}^{(l+1)} ... w_{11}^{(152)}
2.1 | (y-t) z_1^{(l)} h'(a_1^{(l+1)}) \cdot\cdot\cdot h'(a_1^{(152)}) w_{11}^{(l+1)} \cdot\ldots\cdot w_{11}^{(152)}
2.1 | (y-t) z_1^{(l)} h'(a_1^{(l+1)}) h'(a_1^{(l+2)}) \cdots h'(a_1^{(152)}) w_{11}^{(l+1)} w_{11}^{(l+2)} \cdots w_{11}^{(152)}
2.1 | \delta_1^{(l+1)} z_1^{(l)}
2.1 | δ₁⁽ˡ⁺¹⁾ z₁⁽ˡ⁾
2.1 | delta[l+1][1]*z[l][1]
2.1 | (y-t) * z[l][1] * prod(w[m][1][1]*h'(a[m][1]) for m in l+1..152)
2.1 | (y-t) * z[l][1] * product(w[m][1][1]*h'(a[m][1]), m=l+1..152)
2.1 | (y - t) z_1^{(l)} \prod_{m=l+1}^{L-1} w_{11}^{(m)} h'(a_1^{(m)})
2.1 | (y-t)z_1^{(l)}\prod_{l<m\le152}w_{11}^{(m)}h'(a_1^{(m)})
2.1 | (y-t)z_1^{(l)}\prod_{m=l+1,\ldots,152}w_{11}^{(m)}h'(a_1^{(m)})
2.1 | (y-t)z_1^{(l)} Π_{m=l+1}^{152} w₁₁⁽ᵐ⁾ h′(a₁⁽ᵐ⁾)
2.1 | (y-t)z^{(l)}\prod_{m=l+1}^{152}w^{(m)}h'(a^{(m)})
2.1 | \frac{\partial E_n}{\partial w_{11}^{(l)}} = (a_1^{(153)}-t_n) \left(\prod_{i=l+1}^{152} w_{11}^{(i)} \sigma'(a_1^{(i)})\right) z_1^{(l)}
2.1 | \prod_{m=l+1}^{152}\left[h'(a_1^{(m)})w_{11}^{(m)}\right](y-t)z_1^{(l)}
2.1 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}\left(w_{11}^{(m)}h'(a_1^{(m)})\right)
2.1 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\cdot\prod_{m=l+1}^{152}h'(a_1^{(m)})
2.1 | (y-t)\left[\prod_{m=l+1}^{152}w_{11}^{(m)}h'(a_1^{(m)})\right]z_1^{(l)}
2.1 | (y-t) z_1^{(l)} w_{11}^{(l+1)} w_{11}^{(l+2)} ... w_{11}^{(151)} w_{11}^{(152)} h'(a_1^{(l+1)}) ... h'(a_1^{(152)})
2.1 | (y-t) z_1^{(l)} w_{11}^{(152)} h'(a_1^{(152)}) w_{11}^{(151)} h'(a_1^{(151)}) \cdots w_{11}^{(l+1)} h'(a_1^{(l+1)})
2.2 | \left|\frac{\partial E_n}{\partial w_{11}^{(l)}}\right| \le |y-t||z_1^{(l)}| \left(\frac{W}{4}\right)^{152-l}
2.2 | |dE/dw_11^(l)| <= |y-t| |z_1^(l)| (W/4)^(152-l)
2.2 | \left|\frac{\partial E}{\partial w_{11}^{(l)}}\right| \leq \frac{W^{152-l}}{4^{152-l}}|y-t||z_1^{(l)}|
2.2 | \lVert\frac{\partial E}{\partial w_{11}^{(l)}}\rVert \leq (W/4)^{152-l}|y-t||z_1^{(l)}|
2.2 | \left|\frac{\partial E_n}{\partial w_{11}^{(l)}}\right| \le |a_1^{(153)}-t_n|\,|z_1^{(l)}|\prod_{m=l+1}^{152}\frac{|w_{11}^{(m)}|}{4}
2.2 | \bigl\lvert\frac{\partial E_n}{\partial w_{11}^{(l)}}\bigr\rvert \le |y-t|\,\lvert z_1^{(l)}\rvert\prod_{m=l+1}^{152}\frac14|w_{11}^{(m)}|
2.2 | |∂E/∂w₁₁⁽ˡ⁾| ≤ |y−t| |z₁⁽ˡ⁾| (W/4)^(152−l)
2.2 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\sigma(a_1^{(m)})(1-\sigma(a_1^{(m)}))
2.2 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\frac{e^{-a_1^{(m)}}}{(1+e^{-a_1^{(m)}})^2}
2.2 | |y-t||z_1^{(l)}| (W/4)^{152-l} \ge \left|\frac{\partial E_n}{\partial w_{11}^{(l)}}\right|
2.2 | |dE/dw_11^(l)| <= |y-t| |z_1^(l)| 0.25^{152-l} W^{152-l}
2.2 | \left|\frac{\partial E_n}{\partial w_{11}^{(l)}}\right| \le |y-t||z_1^{(l)}|\left(\frac{\max_m|w_{11}^{(m)}|}{4}\right)^{152-l}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}[a_1^{(m)}>0]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}[a_1^{(m)}>=0]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}[a_1^{(m)} ≥ 0]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}[a_1^{(m)} \ge 0]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}[0 \le a_1^{(m)}]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}(1-[a_1^{(m)}\le0])
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathbb{1}[a_1^{(m)}>0]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathbb{1}_{a_1^{(m)}>0}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathbb{1}_{\{a_1^{(m)}>0\}}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathbf{1}_{a_1^{(m)}>0}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathbf{1}\{a_1^{(m)}>0\}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}1_{a_1^{(m)}>0}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}𝟙[a_1^{(m)}>0]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathbf{1}(a_1^{(m)}>0)
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\operatorname{step}(a_1^{(m)})
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\frac{1+\operatorname{sgn}(a_1^{(m)})}{2}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\frac{1+\text{sign}(a_1^{(m)})}{2}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\Theta(a_1^{(m)})
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}H(a_1^{(m)})
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\begin{cases}1 & a_1^{(m)}>0\\0 & a_1^{(m)}\le 0\end{cases}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\begin{cases}1 & \text{if } a_1^{(m)}>0,\\0 & \text{otherwise}\end{cases}
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}ReLU'(a_1^{(m)})
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathrm{ReLU}'(a_1^{(m)})
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\text{relu}'(a_1^{(m)})
2.3 | y = t or z_1^(l) = 0 or exists m in l+1..152: (a_1^(m) <= 0 or w_11^(m) = 0)
2.3 | y = t \lor z_1^{(l)} = 0 \lor \exists m > l: a_1^{(m)} \le 0 \lor w_{11}^{(m)}=0
2.3 | \exists m\in\{l+1,\ldots,152\}: a_1^{(m)}\leq 0 \text{ or } w_{11}^{(m)}=0 \text{ or } y=t \text{ or } z_1^{(l)}=0
2.3 | \frac{\partial E_n}{\partial w_{11}^{(l)}}=0 \Leftrightarrow y=t \vee z_1^{(l)}=0 \vee \exists m\in\{l+1,\dots,152\}\colon a_1^{(m)}\le 0 \vee w_{11}^{(m)}=0
2.3 | y=t or z_1^(l)=0 or a_1^(m)<=0 or w_11^(m)=0 for some m in l+1..152
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\left\{\begin{array}{ll}1 & a_1^{(m)}>0\\0 & a_1^{(m)}\le 0\end{array}\right.
2.3 | (y-t)*z[l][1]*prod(w[m][1][1]*(1 if a[m][1]>0 else 0) for m in range(l+1,153))
2.3 | delta[l+1].T @ z[l]
2.3 | \delta^{(l+1)}_1 z^{(l)}_1
2.3 | (y = t) or (z_1^(l) = 0) or (a_1^(m) <= 0 or w_11^(m) = 0 for some m in l+1..152)
2.3 | dE/dw_11^(l) = 0 iff y = t or z_1^(l) = 0 or exists m in l+1..152: a_1^(m) <= 0 or w_11^(m) = 0
2.4 | h'(a_1^{(l+1)})\left(w_{11}^{(l+1)}\delta_1^{(l+2)}+w_{21}^{(l+1)}\delta_2^{(l+2)}\right)z_1^{(l)}
2.4 | [a_1^{(l+1)}>0] \sum_{k=1}^{2} w_{k1}^{(l+1)}\delta_k^{(l+2)} z_1^{(l)}
2.4 | [a_1^{(l+1)} \ge 0] \sum_{k=1}^{2} w_{k1}^{(l+1)}\delta_k^{(l+2)} z_1^{(l)}
2.4 | [a_1^{(l+1)}>0] \sum_{k=1}^{2} w_{k1}^{(l+1)}[a_k^{(l+2)}>0]\sum_{j=1}^2 w_{jk}^{(l+2)}\delta_j^{(l+3)} z_1^{(l)}
2.4 | \delta_1^{(l+1)}z_1^{(l)}
2.4 | h'(a_1^{(l+1)}) \sum_k w_{k1}^{(l+1)} \delta_k^{(l+2)} z_1^{(l)}
2.4 | y=t or z_1^{(l)}=0 or a_1^{(l+1)}<=0 or \sum_{k=1}^2 w_{k1}^{(l+1)}\delta_k^{(l+2)}=0
2.4 | h'(a_1^{(l+1)})\sum_{k=1}^{2}\delta_k^{(l+2)}w_{k1}^{(l+1)}z_1^{(l)}
2.4 | \mathrm{ReLU}'(a_1^{(l+1)})\sum_{k=1}^{2}\delta_k^{(l+2)}w_{k1}^{(l+1)}z_1^{(l)}
"""

#: Wrong answers that are read as they stand: question | text | what is understood.
WRONG = r"""
1.1 | a^4_1-t^n | a_{1}^{(4)}-\left(t_{n}\right)^{n}
1.1 | \frac{1}{2}(y-t)^2 | \frac{1}{2}\,\left(y-t_{n}\right)^{2}
1.3 | h'(z_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)} | h'(z_{1}^{(3)})\,w_{11}^{(3)}\,\delta_{1}^{(4)}
1.4 | z2.T @ delta3 | {z^{(2)}}^{\top}\,\delta^{(3)}
1.4 | delta3 * z2 | \delta^{(3)}\odot z^{(2)}
1.6 | \delta_1^{(2)} x_{i} | \delta_{1}^{(2)}\,x_{i}
2.1 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\prod_{m=l+1}^{151}h'(a_1^{(m)}) | \left(y-t_{n}\right)\,z_{1}^{(l)}\,\left(\prod_{m=l+1}^{152}w_{11}^{(m)}\right)\,\prod_{m=l+1}^{151}h'(a_{1}^{(m)})
2.1 | (y-t) z_1^{(l)} h'(a_1^{(l+1)}) \cdots h'(a_1^{(151)}) w_{11}^{(l+1)} \cdots w_{11}^{(152)} | \left(y-t_{n}\right)\,z_{1}^{(l)}\,\left(\prod_{m=l+1}^{151}h'(a_{1}^{(m)})\right)\,\prod_{m=l+1}^{152}w_{11}^{(m)}
2.1 | (y-t)z_1^{(l)}\prod_{m=152}^{l+1}w_{11}^{(m)}h'(a_1^{(m)}) | \left(y-t_{n}\right)\,z_{1}^{(l)}\,\prod_{m=152}^{l+1}w_{11}^{(m)}\,h'(a_{1}^{(m)})
2.1 | h'(a_1^{(l+1)})w_{11}^{(l+1)}\delta_1^{(l+2)}z_1^{(l)} | h'(a_{1}^{(l+1)})\,w_{11}^{(l+1)}\,\delta_{1}^{(l+2)}\,z_{1}^{(l)}
2.1 | \exp(\sum_{m=l+1}^{152} \ln(w_{11}^{(m)}h'(a_1^{(m)})))(y-t)z_1^{(l)} | e^{\sum_{m=l+1}^{152}\ln(w_{11}^{(m)}\,h'(a_{1}^{(m)}))}\,\left(y-t_{n}\right)\,z_{1}^{(l)}
2.3 | (y-t)*max(0,a[l][1])*prod(w[m][1][1]*(a[m][1]>0) for m in range(l+1,153)) | \left(y-t_{n}\right)\,\max(0,a_{1}^{(l)})\,\prod_{m=l+1}^{152}w_{11}^{(m)}\,[a_{1}^{(m)}>0]
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}[a_1^{(m)}] | \left(y-t_{n}\right)\,z_{1}^{(l)}\,\prod_{m=l+1}^{152}w_{11}^{(m)}\,a_{1}^{(m)}
2.3 | delta[l+1].T @ (z[l] * (a[l] > 0)) | {\delta^{(l+1)}}^{\top}\,\left(z^{(l)}\odot [a^{(l)}>0]\right)
2.3 | \exists m>l : a_1^{(m)}<=0 | \exists m\in\{l+1,\dots,152\}:\ a_{1}^{(m)}\le 0
2.3 | y \ne t \land z_1^{(l)} \ne 0 \land \forall m\in\{l+1,\dots,152\}: a_1^{(m)} > 0 \land w_{11}^{(m)} \ne 0 | y\ne t_{n}\ \land\ z_{1}^{(l)}\ne 0\ \land\ \forall m\in\{l+1,\dots,152\}:\ (a_{1}^{(m)}>0\ \land\ w_{11}^{(m)}\ne 0)
2.3 | dE/dw_11^(l) != 0 iff y != t and z_1^(l) > 0 and a_1^(m) > 0 and w_11^(m) != 0 for all m in l+1..152 | \lnot(y\ne t_{n}\ \land\ z_{1}^{(l)}>0\ \land\ \forall m\in\{l+1,\dots,152\}:\ (a_{1}^{(m)}>0\ \land\ w_{11}^{(m)}\ne 0))
2.4 | a_1^{(l+1)} \le 0 | a_{1}^{(l+1)}\le 0
2.4 | h'(a_1^{(l+1)})=0 and h'(a_2^{(l+1)})=0 | h'(a_{1}^{(l+1)})=0\ \land\ h'(a_{2}^{(l+1)})=0
2.4 | h'(a_1^{(l+1)})=h'(a_2^{(l+1)})=0 | h'(a_{1}^{(l+1)})=h'(a_{2}^{(l+1)})\ \land\ h'(a_{2}^{(l+1)})=0
2.4 | h'(a_1^{(l+1)}) h'(a_2^{(l+1)}) = 0 | h'(a_{1}^{(l+1)})\,h'(a_{2}^{(l+1)})=0
"""

#: Texts that are refused: question | text | at which character | how the reason starts.
REFUSED = r"""
1.1 | a4_1 - t | 2 | a4 does not tell layer from unit; write a_1^{(3)}
1.1 | dE/da = y - t | 7 | a stands without its layer; write a_1^{(3)}
1.1 | y_n - t_n \quad \text{(linear output)} | 17 | '(linear output)' is prose; type the formula alone
1.1 | y_k - t_k | 3 | there is one y; write y
1.1 | y - t_2 | 7 | there is one t; write t_n
1.2 | delta4_1 * z3_2 | 6 | delta4 does not tell layer from unit; write \delta_1^{(3)}
1.2 | delta(4,1) z(3,2) | 6 | delta stands without its layer; write \delta_1^{(3)}
1.2 | a_{1,(3)} | 6 | the layer goes above, in parentheses: write a_1^{(3)}
1.2 | \delta_{1,(4)} z_{2,(3)} | 11 | the layer goes above, in parentheses: write \delta_1^{(3)}
1.2 | \delta_{1}^{(4)} z_{2}^{(3)} \text{ because } a_1^{(4)} \text{ is linear in } w | 30 | 'because' is prose; type the formula alone
1.2 | \delta_{4,1} z_{3,2} | 14 | delta stands without its layer; write \delta_1^{(3)}
1.2 | w_{11}^{(3)T} \delta_1^{(4)} | 12 | '}' is expected before 'T'
1.3 | \dot{h}(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)} | 1 | \dot is not part of these formulas; write a, z, w, delta, h, h' and \sigma, \sum, \prod, \frac, \partial
1.3 | \left. \frac{dh}{da} \right|_{a=a_1^{(3)}} w_{11}^{(3)} \delta_1^{(4)} | 28 | a derivative at a place is written with its argument, h'(a_1^{(3)}), without a bar
1.3 | \left. h'(a) \right|_{a=a_1^{(3)}} w_{11}^{(3)} \delta_1^{(4)} | 20 | a derivative at a place is written with its argument, h'(a_1^{(3)}), without a bar
1.3 | \sigma(a_1^{(3)})' w_{11}^{(3)} \delta_1^{(4)} | 18 | a prime follows the name of its function: h'(a_1^{(3)})
1.3 | sigma'(a3) * w3 * delta4 | 6 | "'" is not part of an expression on arrays; write h_prime(a[3]) for h'(a), and @ for einsum
1.3 | \Delta_1^{(4)} w_{11}^{(3)} h'(a_1^{(3)}) | 1 | \Delta is not part of these formulas; write a, z, w, delta, h, h' and \sigma, \sum, \prod, \frac, \partial
1.3 | \frac{dh}{da}(a_1^{(3)}) w_{11}^{(3)} \delta_1^{(4)} | 9 | h stands without its argument; write h(a_1^{(3)})
1.3 | \sin(a_1^{(3)}) | 1 | \sin is not part of these formulas; write a, z, w, delta, h, h' and \sigma, \sum, \prod, \frac, \partial
1.3 | sin(a_1^(3)) | 1 | 'sin' is no quantity of this network; it has a, z, delta, w, b, x, t, y, E, the functions h, h', sigma, exp, max, sums and products
1.4 | np.einsum('ni,nj->ij', delta3, z2) | 11 | "'" is not part of an expression on arrays; write h_prime(a[3]) for h'(a), and @ for einsum
1.4 | \delta^{(3)} (z^{(2)})^T | 14 | delta stands without its unit; write \delta_1^{(3)}
1.4 | \delta^{(3)} {z^{(2)}}^\top | 14 | delta stands without its unit; write \delta_1^{(3)}
1.4 | delta3^T @ z2 | 7 | '^' is not part of an expression on arrays; a power is **, a transposed array .T
1.4 | δ3.T @ z2 | 1 | 'δ' is not part of an expression on arrays; write delta
1.4 | delta3.transpose() @ z2 | 8 | .transpose is not read here; .T, .sum and .dot are
1.4 | np.einsum("ni,nj->ij", delta3, z2) | 11 | '"' is not part of an expression on arrays; write @ for einsum
1.4 | dw2 -= delta3.T @ z2 | 5 | -= changes what stood there before; type the derivative alone
1.4 | d_1^{(3)} z_1^{(2)} | 2 | d is the sign of a derivative; delta is written \delta_1^{(3)}
1.5 | \delta^{(2)} = (W^{(2)})^T \delta^{(3)} \odot h'(a^{(2)}) | 14 | delta stands without its unit; write \delta_1^{(3)}
1.6 | \delta_1^{(2)} x_1^{(2)} | the end | x is layer 1; write x_1, or z_1^{(2)} for another layer
2.1 | (y-t) z_1^{(l)} \cdots w_{11}^{(152)} | 17 | the dots stand between factors that are not alike but for one number; write it out, or with \sum or \prod: \prod_{m=l+1}^{152} w_{11}^{(m)}
2.1 | (y-t)z_1^{(l)}\prod_{m>l}w_{11}^{(m)}h'(a_1^{(m)}) | 22 | a range has two bounds; write them as m=l+1 below and 152 above, or l+1..152
2.1 | (y-t)z_1^{(l)}\prod_{i=1}^{152-l}w_{11}^{(l+i)}h'(a_1^{(l+i)}) | 32 | an index is a letter plus or minus a number, say l+1
2.2 | \left|\frac{\partial E_n}{\partial w_{11}^{(l)}}\right| < |y-t||z_1^{(l)}|(W/4)^{152-l} | 57 | a bound is written with \le, which is expected before '<'
2.2 | \sigma'(a) \le 1/4 | 10 | a stands without its layer; write a_1^{(3)}
2.3 | \begin{cases}(y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)} & \text{if all } a_1^{(m)}>0\\0 & \text{else}\end{cases} | 62 | a case is one comparison; put cases of one unit inside the product
2.3 | (y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\mathbb{1}(a_1^{(m)}) | 56 | an indicator needs a condition in brackets: write 1[a_1^{(3)}>0]
2.4 | np.where(a[l+1] > 0, 1, 0) * (delta[l+2] @ w[l+1]) | 4 | 'where' is no array of this network; it has a, z, w, delta of a layer (z3 or z[3]), x, t and y
2.4 | (y - t) h'(a_1^{(l+1)}) \sum_{\text{paths}} \prod w | 31 | 'paths' is prose; type the formula alone
"""


def rows(table: str) -> list[list[str]]:
    """Return the columns of every line."""
    return [line.split(" | ") for line in table.strip().splitlines()]
