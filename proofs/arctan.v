(* Depth never widens the explosion set of arctan, though its slope 1/(1 + z²) is not log-concave: K = 1.

   arctan is in class N, as √(1 + z²) is convex. And (q − p)² ≤ (1 + p²)(1 + q²), the difference being (1 + pq)²: in angles,
   (q − p) √(σ'(p) σ'(q)) = sin(θ_q − θ_p) ≤ 1. One neuron reaches it: 2u σ'(u) = 1 at u = 1. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n interval activations sigmoid sharp.
Import ListNotations.
Open Scope R_scope.

Theorem arctan_pair_bound : pair_bound (slope arctan) 1.
Proof.
  intros p q. rewrite !Rabs_pos_eq by (left; apply class_N_slope_positive, arctan_class_N).
  cbv [slope arctan]. pose proof (pow2_ge_0 (1 + p * q)) as S.
  assert (P : 0 < (1 + p ^ 2) * (1 + q ^ 2)) by (apply Rmult_lt_0_compat; nra).
  apply (Rmult_le_reg_l _ _ _ P).
  replace ((1 + p ^ 2) * (1 + q ^ 2) * (/ (1 + p ^ 2) * / (1 + q ^ 2) * (q - p) ^ 2)) with ((q - p) ^ 2)
    by (field; split; nra). nra.
Qed.

(* The last layer is arctan; those before it are arctan or others of class N. *)
Theorem arctan_last inner w b : Forall (fun l => class_N (act l)) inner ->
  pair_bound (gradient (inner ++ [Layer arctan w b])) 1.
Proof.
  intros N. apply last_layer_bounds_chain; [| apply arctan_pair_bound].
  revert N. apply Forall_impl. intros l. apply class_N_two_point.
Qed.

Theorem arctan_depth_never_widens parameters x y :
  parameters <> [] -> let f' := gradient (uniform arctan parameters) in Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= 1.
Proof.
  intros N f'. replace ((x - y) ^ 2) with ((y - x) ^ 2) by ring. apply Rle_trans with (1 ^ 2); [| lra].
  apply uniform_chain_bound; [apply class_N_two_point, arctan_class_N | apply arctan_pair_bound | exact N].
Qed.

Corollary arctan_explosion_width parameters c x y :
  parameters <> [] -> let f' := gradient (uniform arctan parameters) in
  0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < 1 / c.
Proof.
  intros N f'. apply width_of_pair_bound; [lra |].
  intros p q. replace ((q - p) ^ 2) with ((p - q) ^ 2) by ring. rewrite pow1. now apply arctan_depth_never_widens.
Qed.

Corollary arctan_explosion_set_is_interval parameters c x t y :
  0 <= c -> x < t < y -> let f' := gradient (uniform arctan parameters) in
  c < Rabs (f' x) -> c < Rabs (f' y) -> c < Rabs (f' t).
Proof. apply explosion_set_is_interval. apply (Forall_uniform class_N), arctan_class_N. Qed.

Theorem arctan_width_is_sharp L : (1 <= L)%nat -> attains arctan L 1.
Proof.
  assert (P : forall z, 0 < slope arctan z) by (intros; apply class_N_slope_positive, arctan_class_N).
  apply (attains_at_every_depth arctan 0 0); [apply Rgt_not_eq, P | apply arctan_slope_continuous |].
  replace 1 with (2 * 1 * slope arctan 1) by (cbv [slope arctan]; field).
  apply one_neuron_attains; [lra | apply P |]. cbv [slope arctan]. f_equal. ring.
Qed.
