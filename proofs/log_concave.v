(* Depth never widens the explosion set for any activation with an even, log-concave slope.

   Let σ be bounded, with σ' > 0, ln σ' concave and σ' even, and let K be the width of one neuron, the least upper bound of 2u σ'(u)
   (neuron_width.v). Then |f'(x)| |f'(y)| (x − y)² ≤ K² at every depth. For 1/√σ' = exp(−½ ln σ') is convex, so σ is in class N and
   the inner layers drop out; and σ'(p) σ'(q) = σ'(−p) σ'(q) ≤ σ'((q − p)/2)², by log-concavity between −p and q. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n interval activations sigmoid sharp neuron_width.
Import ListNotations.
Open Scope R_scope.

Definition log_concave (g : R -> R) := (forall z, 0 < g z) /\ convex (fun z => - ln (g z)).

Theorem log_concave_class_N a : log_concave (slope a) -> class_N a.
Proof.
  intros [P C]. exists (fun z => exp (/ 2 * - ln (slope a z))). split; [| split].
  - apply exp_of_convex, convex_scal; [lra | exact C].
  - intros z. apply exp_pos.
  - intros z. simpl pow. rewrite Rmult_1_r, <- exp_plus.
    replace (/ 2 * - ln (slope a z) + / 2 * - ln (slope a z)) with (- ln (slope a z)) by field.
    rewrite exp_Ropp, exp_ln by apply P. rewrite Rinv_involutive; [reflexivity | apply Rgt_not_eq, P].
Qed.

Lemma log_concave_midpoint g p q : log_concave g -> g p * g q <= g ((p + q) / 2) ^ 2.
Proof.
  intros [P C].
  assert (M : ln (g p) + ln (g q) <= 2 * ln (g ((p + q) / 2))).
  { destruct (Rtotal_order p q) as [L | [-> | L]].
    - pose proof (C p ((p + q) / 2) q ltac:(lra)) as H. cbv beta in H. nra.
    - replace ((q + q) / 2) with q by field. lra.
    - pose proof (C q ((p + q) / 2) p ltac:(lra)) as H. cbv beta in H. nra. }
  apply exp_le in M. rewrite exp_plus, !exp_ln in M by apply P.
  replace (2 * ln (g ((p + q) / 2))) with (ln (g ((p + q) / 2)) + ln (g ((p + q) / 2))) in M by ring.
  rewrite exp_plus, exp_ln in M by apply P. lra.
Qed.

Section Even_log_concave_slope.
  Variable a : activation.
  Hypothesis slope_log_concave : log_concave (slope a).
  Hypothesis slope_even : even (slope a).

  Variable K : R.
  Hypothesis K_is_neuron_width : neuron_width a K.

  Theorem log_concave_pair_bound : pair_bound (slope a) K.
  Proof.
    intros p q. rewrite !Rabs_pos_eq by (left; apply slope_log_concave).
    pose proof (log_concave_midpoint (slope a) (- p) q slope_log_concave) as M. rewrite slope_even in M.
    pose proof (neuron_width_bound a (proj1 slope_log_concave) slope_even K K_is_neuron_width ((- p + q) / 2)) as B.
    apply Rle_trans with ((2 * ((- p + q) / 2) * slope a ((- p + q) / 2)) ^ 2); [| now apply pow_maj_Rabs].
    replace ((2 * ((- p + q) / 2) * slope a ((- p + q) / 2)) ^ 2)
      with (slope a ((- p + q) / 2) ^ 2 * (q - p) ^ 2) by field.
    apply Rmult_le_compat_r; [apply pow2_ge_0 | exact M].
  Qed.

  Theorem log_concave_depth_never_widens parameters x y :
    parameters <> [] -> let f' := gradient (uniform a parameters) in
    Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= K ^ 2.
  Proof.
    intros N f'. replace ((x - y) ^ 2) with ((y - x) ^ 2) by ring.
    apply uniform_chain_bound; [| apply log_concave_pair_bound | exact N].
    now apply class_N_two_point, log_concave_class_N.
  Qed.

  Corollary log_concave_explosion_width parameters c x y :
    parameters <> [] -> let f' := gradient (uniform a parameters) in
    0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < K / c.
  Proof.
    intros N f'. apply width_of_pair_bound.
    { apply (neuron_width_positive a); [apply slope_log_concave | exact slope_even | exact K_is_neuron_width]. }
    intros p q. replace ((q - p) ^ 2) with ((p - q) ^ 2) by ring. now apply log_concave_depth_never_widens.
  Qed.

  Corollary log_concave_explosion_set_is_interval parameters c x t y :
    0 <= c -> x < t < y -> let f' := gradient (uniform a parameters) in
    c < Rabs (f' x) -> c < Rabs (f' y) -> c < Rabs (f' t).
  Proof. apply explosion_set_is_interval. now apply (Forall_uniform class_N), log_concave_class_N. Qed.

  (* And K cannot be lowered, at any depth. *)
  Corollary log_concave_width_is_sharp L : (forall z, continuous (slope a) z) -> (1 <= L)%nat -> attains a L K.
  Proof. apply neuron_width_is_sharp; [apply slope_log_concave | exact slope_even | exact K_is_neuron_width]. Qed.
End Even_log_concave_slope.

(* The sigmoid and tanh are such activations, and K is that of sigmoid.v. *)

Lemma ln_cosh_convex : convex (fun z => ln (cosh z)).
Proof.
  apply (convex_of_derivative _ tanh).
  - intros z. pose proof (cosh_pos z) as P. unfold tanh, sinh, cosh in *.
    auto_derive; [lra |]. field. lra.
  - intros p q [L | ->]; [left; now apply tanh_increasing | lra].
Qed.

Lemma ln_inverse_square m c : 0 < m -> 0 < c -> - ln (/ (m * c) ^ 2) = 2 * ln m + 2 * ln c.
Proof.
  intros M C. assert (0 < m * c) by nra.
  rewrite ln_Rinv by (apply pow_lt; lra). simpl pow. rewrite Rmult_1_r, !ln_mult by assumption. ring.
Qed.

Lemma sigmoid_slope_log_concave : log_concave (slope sigmoid).
Proof.
  split; [intros; apply class_N_slope_positive, sigmoid_class_N |].
  apply (convex_ext (fun z => 2 * ln 2 + 2 * ln (cosh (z / 2)))).
  - intros z. rewrite sigmoid_slope. symmetry. apply ln_inverse_square; [lra | apply cosh_pos].
  - intros x t y H. pose proof (ln_cosh_convex (x / 2) (t / 2) (y / 2) ltac:(lra)) as C. cbv beta in *. lra.
Qed.

Lemma sigmoid_slope_even : even (slope sigmoid).
Proof.
  intros z. rewrite !sigmoid_slope. replace (- z / 2) with (- (z / 2)) by field. now rewrite cosh_even.
Qed.

Theorem sigmoid_neuron_width : neuron_width sigmoid K.
Proof.
  assert (E : forall u, 2 * u * slope sigmoid u = u / 2 / cosh (u / 2) ^ 2).
  { intros u. rewrite sigmoid_slope. pose proof (cosh_pos (u / 2)). field. lra. }
  split.
  - intros k [u [U ->]]. rewrite E. pose proof (K_is_the_greatest (u / 2)) as G.
    pose proof (pow_lt _ 2 (cosh_pos (u / 2))) as P. apply (Rmult_le_reg_r (cosh (u / 2) ^ 2)); [exact P |].
    unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l by lra. lra.
  - intros k H. apply H. exists (2 * s). pose proof s_positive. split; [lra |].
    rewrite E. replace (2 * s / 2) with s by field. reflexivity.
Qed.

Lemma tanh_slope_log_concave : log_concave (slope hyperbolic_tangent).
Proof.
  split; [intros; apply class_N_slope_positive, hyperbolic_tangent_class_N |].
  apply (convex_ext (fun z => 2 * ln 1 + 2 * ln (cosh z))).
  - intros z. cbv [slope hyperbolic_tangent]. rewrite tanh_slope, <- (Rmult_1_l (cosh z)). symmetry.
    rewrite (Rmult_1_l (cosh z)) at 2. apply ln_inverse_square; [lra | apply cosh_pos].
  - intros x t y H. pose proof (ln_cosh_convex x t y H) as C. cbv beta in *. lra.
Qed.
