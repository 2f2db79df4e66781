(* Depth does widen the explosion set of softsign z/(1 + |z|): by the factor 2, at depth 2 already, and by no more.

   One neuron alone has c·width ≤ 1/2, a chain of any depth c·width ≤ 1. And two neurons come close to 1: since softsign is the
   Möbius map z/(1 − z) for z ≤ 0 and z/(1 + z) for z ≥ 0, softsign((1 + A) softsign(x) + A) is linear on [−A, 0], with the
   slope 1/(1 + A). *)
From Coq Require Import Reals Lra Psatz Lia.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n interval activations sharp.
Import ListNotations.
Open Scope R_scope.

(* Every depth: 1. *)

Theorem softsign_pair_bound : pair_bound (slope softsign) 1.
Proof.
  intros p q. rewrite !Rabs_pos_eq by (left; apply class_N_slope_positive, softsign_class_N).
  cbv [slope softsign]. rewrite <- (pow2_abs (q - p)).
  pose proof (Rabs_triang q (- p)) as T. rewrite Rabs_Ropp in T. fold (q - p) in T.
  pose proof (Rabs_pos p). pose proof (Rabs_pos q). pose proof (Rabs_pos (q - p)).
  replace (/ (1 + Rabs p) ^ 2 * / (1 + Rabs q) ^ 2 * Rabs (q - p) ^ 2)
    with ((Rabs (q - p) / ((1 + Rabs p) * (1 + Rabs q))) ^ 2) by (field; lra).
  assert (P : 0 < (1 + Rabs p) * (1 + Rabs q)) by nra.
  apply pow_incr. split; [now apply Rdiv_le_0_compat |].
  apply (Rmult_le_reg_r _ _ _ P). unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

Theorem softsign_pairs parameters x y :
  parameters <> [] -> let f' := gradient (uniform softsign parameters) in Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= 1.
Proof.
  intros N f'. replace ((x - y) ^ 2) with ((y - x) ^ 2) by ring. apply Rle_trans with (1 ^ 2); [| lra].
  apply uniform_chain_bound; [apply class_N_two_point, softsign_class_N | apply softsign_pair_bound | exact N].
Qed.

Corollary softsign_explosion_width parameters c x y :
  parameters <> [] -> let f' := gradient (uniform softsign parameters) in
  0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < 1 / c.
Proof.
  intros N f'. apply width_of_pair_bound; [lra |].
  intros p q. replace ((q - p) ^ 2) with ((p - q) ^ 2) by ring. rewrite pow1. now apply softsign_pairs.
Qed.

Corollary softsign_explosion_set_is_interval parameters c x t y :
  0 <= c -> x < t < y -> let f' := gradient (uniform softsign parameters) in
  c < Rabs (f' x) -> c < Rabs (f' y) -> c < Rabs (f' t).
Proof. apply explosion_set_is_interval. apply (Forall_uniform class_N), softsign_class_N. Qed.

(* One neuron: 1/2. *)

Theorem softsign_neuron_width w b c x y :
  let f' := gradient (uniform softsign [(w, b)]) in
  0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < (/ 2) / c.
Proof.
  intros f' C. unfold f'. cbv [gradient uniform map fst snd neuron_slope preactivation act weight bias slope softsign].
  rewrite !Rmult_1_l, !Rabs_mult.
  (* 4|z| ≤ (1 + |z|)² < |w|/c at both preactivations z, so they are less than |w|/(2c) apart *)
  assert (S : forall z, c < Rabs w * Rabs (/ (1 + Rabs z) ^ 2) -> c * (1 + Rabs z) ^ 2 < Rabs w).
  { intros z H. pose proof (Rabs_pos z) as Z. assert (P : 0 < (1 + Rabs z) ^ 2) by (apply pow_lt; lra).
    rewrite (Rabs_pos_eq (/ _)) in H by (left; now apply Rinv_0_lt_compat).
    apply (Rmult_lt_compat_r _ _ _ P) in H. rewrite Rmult_assoc, Rinv_l in H by lra. lra. }
  intros X Y. apply S in X. apply S in Y.
  pose proof (Rabs_triang (w * x + b) (- (w * y + b))) as T. rewrite Rabs_Ropp in T.
  replace (w * x + b + - (w * y + b)) with (w * (x - y)) in T by ring. rewrite Rabs_mult in T.
  set (p := Rabs (w * x + b)) in *. set (q := Rabs (w * y + b)) in *.
  assert (P : 0 <= p) by apply Rabs_pos. assert (Q : 0 <= q) by apply Rabs_pos.
  assert (M : c * (p + q) < Rabs w / 2).
  { assert (c * (4 * p) <= c * (1 + p) ^ 2) by (apply Rmult_le_compat_l; [lra | pose proof (pow2_ge_0 (1 - p)); lra]).
    assert (c * (4 * q) <= c * (1 + q) ^ 2) by (apply Rmult_le_compat_l; [lra | pose proof (pow2_ge_0 (1 - q)); lra]).
    lra. }
  assert (W : 0 < Rabs w) by nra.
  apply (Rmult_lt_reg_l (c * Rabs w)); [nra |].
  replace (c * Rabs w * (/ 2 / c)) with (Rabs w / 2) by (field; lra).
  apply Rle_lt_trans with (2 := M). rewrite Rmult_assoc. apply Rmult_le_compat_l; lra.
Qed.

Theorem softsign_neuron_width_is_sharp : attains softsign 1 (/ 2).
Proof.
  assert (P : forall z, 0 < slope softsign z) by (intros; apply class_N_slope_positive, softsign_class_N).
  replace (/ 2) with (2 * 1 * slope softsign 1) by (cbv [slope softsign]; rewrite Rabs_R1; field).
  apply one_neuron_attains; [lra | apply P |]. cbv [slope softsign]. now rewrite Rabs_Ropp.
Qed.

(* Two neurons: 1 in the limit A → ∞. *)

Lemma softsign_left x : x <= 0 -> value softsign x = x / (1 - x).
Proof. intros H. cbv [value softsign]. unfold softsign_value. rewrite Rabs_left1 by lra. reflexivity. Qed.

Lemma softsign_right x : 0 <= x -> value softsign x = x / (1 + x).
Proof. intros H. cbv [value softsign]. unfold softsign_value. rewrite Rabs_pos_eq by lra. reflexivity. Qed.

Lemma second_preactivation A x : x <= 0 -> (1 + A) * value softsign x + A = (x + A) / (1 - x).
Proof. intros H. rewrite softsign_left by exact H. field. lra. Qed.

Theorem softsign_linear_piece A x : 0 < A -> - A <= x <= 0 ->
  value softsign ((1 + A) * value softsign x + A) = (x + A) / (1 + A).
Proof.
  intros HA X. rewrite second_preactivation by lra.
  rewrite softsign_right by (apply Rdiv_le_0_compat; lra). field. repeat split; lra.
Qed.

Lemma softsign_linear_piece_gradient A w x : 0 < A -> - A <= w * x <= 0 ->
  gradient (uniform softsign [(w, 0); (1 + A, A)]) x = w / (1 + A).
Proof.
  intros HA X. cbv [gradient uniform map fst snd neuron_slope neuron preactivation act weight bias].
  rewrite Rplus_0_r, second_preactivation by lra. cbv [slope softsign].
  rewrite Rabs_pos_eq by (apply Rdiv_le_0_compat; lra). rewrite Rabs_left1 by lra. field. repeat split; lra.
Qed.

Theorem softsign_widens_at_depth_two : attains softsign 2 1.
Proof.
  intros c eps Hc He. set (d := eps * c / 2). assert (D : 0 < d) by (unfold d; apply Rdiv_lt_0_compat; nra).
  set (A := / d). assert (HA : 0 < A) by now apply Rinv_0_lt_compat.
  set (w := c * (1 + A) * (1 + d)). assert (W : 0 < w) by (unfold w; repeat apply Rmult_lt_0_compat; lra).
  exists [(w, 0); (1 + A, A)], 0, (- A / w). split; [reflexivity |]. cbv zeta.
  rewrite !softsign_linear_piece_gradient; try lra.
  2: { replace (w * (- A / w)) with (- A) by (field; lra). lra. }
  replace (w / (1 + A)) with (c * (1 + d)) by (unfold w; field; lra).
  rewrite Rabs_pos_eq by nra. split; [nra | split; [nra |]].
  replace (0 - - A / w) with (/ (c * (1 + d) ^ 2)) by (unfold w, A; field; repeat split; lra).
  assert (P : 0 < c * (1 + d) ^ 2) by (apply Rmult_lt_0_compat; [lra | apply pow_lt; lra]).
  rewrite Rabs_pos_eq by (left; now apply Rinv_0_lt_compat).
  apply (Rmult_lt_reg_r _ _ _ P). rewrite Rinv_l by lra.
  replace eps with (2 * d / c) by (unfold d; field; lra).
  replace ((1 / c - 2 * d / c) * (c * (1 + d) ^ 2)) with (1 - d * d * (3 + 2 * d)) by (field; lra).
  assert (0 < d * d * (3 + 2 * d)) by (repeat apply Rmult_lt_0_compat; lra). lra.
Qed.

Theorem softsign_widens L : (2 <= L)%nat -> attains softsign L 1.
Proof.
  apply (attains_at_every_depth softsign 0 1); [| apply softsign_slope_continuous | apply softsign_widens_at_depth_two].
  apply Rgt_not_eq, class_N_slope_positive, softsign_class_N.
Qed.
