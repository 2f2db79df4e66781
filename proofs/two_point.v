(* The two-point inequality: f'(x) f'(y) (y − x)² ≤ (f(y) − f(x))².

   In words: the geometric mean of two slopes is at most the mean slope between. It holds with equality for affine maps, and it
   passes to a composition, since of the two factors of (g∘h)' those of g turn (h(y) − h(x))² into (g(h(y)) − g(h(x)))².
   So it holds for every chain whose activations have it. If moreover the slope of the last activation satisfies
   σ'(p) σ'(q) (q − p)² ≤ H², then so does the gradient of the whole chain: all layers but the last drop out of the bound. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import chain.
Import ListNotations.
Open Scope R_scope.

Definition two_point (f f' : R -> R) := forall x y, Rabs (f' x) * Rabs (f' y) * (y - x) ^ 2 <= (f y - f x) ^ 2.

(* The slopes at two points, and the square of their distance, have a product of at most H². *)
Definition pair_bound (f' : R -> R) (H : R) := forall x y, Rabs (f' x) * Rabs (f' y) * (y - x) ^ 2 <= H ^ 2.

Lemma Rabs_times p q r : 0 <= r -> 0 <= Rabs p * Rabs q * r.
Proof. intros. pose proof (Rabs_pos p). pose proof (Rabs_pos q). apply Rmult_le_pos; [nra | assumption]. Qed.

Lemma two_point_affine w b : two_point (fun x => w * x + b) (fun _ => w).
Proof.
  intros x y. rewrite <- Rabs_mult, Rabs_pos_eq by nra. right. ring.
Qed.

(* h passes the product for g at the points h x, h y on to the composition at x, y. *)
Lemma through_two_point (g' h h' : R -> R) (B : R) x y :
  two_point h h' -> Rabs (g' (h x)) * Rabs (g' (h y)) * (h y - h x) ^ 2 <= B ->
  Rabs (g' (h x) * h' x) * Rabs (g' (h y) * h' y) * (y - x) ^ 2 <= B.
Proof.
  intros H G. rewrite !Rabs_mult.
  apply Rle_trans with (2 := G).
  replace (Rabs (g' (h x)) * Rabs (h' x) * (Rabs (g' (h y)) * Rabs (h' y)) * (y - x) ^ 2)
    with (Rabs (g' (h x)) * Rabs (g' (h y)) * (Rabs (h' x) * Rabs (h' y) * (y - x) ^ 2)) by ring.
  apply Rmult_le_compat_l; [| apply H].
  pose proof (Rabs_pos (g' (h x))). pose proof (Rabs_pos (g' (h y))). nra.
Qed.

Theorem two_point_composition g g' h h' :
  two_point g g' -> two_point h h' -> two_point (fun x => g (h x)) (fun x => g' (h x) * h' x).
Proof. intros G H x y. apply (through_two_point g' h h'); [exact H | apply G]. Qed.

Lemma pair_bound_composition g' h h' K :
  pair_bound g' K -> two_point h h' -> pair_bound (fun x => g' (h x) * h' x) K.
Proof. intros G H x y. apply (through_two_point g' h h'); [exact H | apply G]. Qed.

Definition two_point_activation (a : activation) := two_point (value a) (slope a).

Lemma commute_slopes l x : slope (act l) (preactivation l x) * weight l = neuron_slope l x.
Proof. apply Rmult_comm. Qed.

Lemma two_point_neuron l : two_point_activation (act l) -> two_point (neuron l) (neuron_slope l).
Proof.
  intros A x y. rewrite <- !commute_slopes.
  apply (two_point_composition _ _ _ _ A (two_point_affine (weight l) (bias l))).
Qed.

Theorem two_point_chain c :
  Forall (fun l => two_point_activation (act l)) c -> two_point (output c) (gradient c).
Proof.
  induction 1 as [| l rest A _ IH]; simpl.
  - intros x y. rewrite Rabs_R1. lra.
  - apply (two_point_composition (output rest) (gradient rest)); [exact IH | now apply two_point_neuron].
Qed.

Lemma pair_bound_neuron l K : pair_bound (slope (act l)) K -> pair_bound (neuron_slope l) K.
Proof.
  intros B x y. rewrite <- !commute_slopes.
  apply (pair_bound_composition _ _ _ K B (two_point_affine (weight l) (bias l))).
Qed.

(* Depth does not weaken the bound of the last layer. *)
Theorem last_layer_bounds_chain inner last K :
  Forall (fun l => two_point_activation (act l)) inner -> pair_bound (slope (act last)) K ->
  pair_bound (gradient (inner ++ [last])) K.
Proof.
  intros I B. induction I as [| l rest A _ IH]; simpl.
  - intros x y. rewrite !Rmult_1_l. now apply pair_bound_neuron.
  - apply (pair_bound_composition (gradient (rest ++ [last]))); [exact IH | now apply two_point_neuron].
Qed.

Theorem uniform_chain_bound a K parameters :
  two_point_activation a -> pair_bound (slope a) K -> parameters <> [] ->
  pair_bound (gradient (uniform a parameters)) K.
Proof.
  intros A B N. destruct (last_layer_of parameters N) as [inner [last ->]].
  rewrite uniform_app. apply last_layer_bounds_chain; [| exact B].
  now apply (Forall_uniform two_point_activation).
Qed.

(* The width of the explosion set: points at which |f'| exceeds c lie within K/c of each other. *)
Theorem width_of_pair_bound f' K c x y :
  0 < K -> pair_bound f' K -> 0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < K / c.
Proof.
  intros HK B Hc X Y. specialize (B x y). rewrite Rabs_minus_sym.
  rewrite <- (pow2_abs (y - x)) in B. set (d := Rabs (y - x)) in *.
  assert (D : 0 <= d) by apply Rabs_pos.
  destruct (Rlt_dec d (K / c)) as [L | L]; [exact L | exfalso].
  assert (L' : K <= d * c).
  { apply Rnot_lt_le, (Rmult_le_compat_r c) in L; [| lra].
    unfold Rdiv in L. rewrite Rmult_assoc, Rinv_l in L by lra. lra. }
  assert (P : 0 < d) by nra.
  assert (c * c < Rabs (f' x) * Rabs (f' y)) by nra.
  assert (d ^ 2 * (c * c) < d ^ 2 * (Rabs (f' x) * Rabs (f' y))) by (apply Rmult_lt_compat_l; nra).
  assert (K * K <= d * c * (d * c)) by nra. nra.
Qed.
